"""Every clock of a host shows virtual time."""

import datetime
import time
from datetime import datetime as early_datetime

from tests.programs.pair_of_hosts import run_alone


def test_clocks_go_with_virtual_time():
    def main():
        before = time.monotonic(), time.time(), time.perf_counter(), time.monotonic_ns(), time.time_ns()
        time.sleep(3600)
        after = time.monotonic(), time.time(), time.perf_counter(), time.monotonic_ns(), time.time_ns()
        return [late - early for early, late in zip(before, after, strict=True)]

    assert run_alone(main) == [3600.0, 3600.0, 3600.0, 3600 * 10**9, 3600 * 10**9]


def test_dates_begin_where_virtual_time_does():
    def main():
        time.sleep(60)
        return (
            datetime.datetime.now(datetime.UTC).isoformat(),
            early_datetime.now(datetime.UTC).isoformat(),
            time.strftime("%H:%M:%S", time.gmtime()),
            time.gmtime().tm_year,
            datetime.date.today().year,
            isinstance(datetime.datetime.now(), datetime.datetime),
            type(datetime.datetime.now()) is early_datetime is datetime.datetime,
            datetime.datetime.utcnow().isoformat(),
            time.clock_gettime(time.CLOCK_REALTIME) == time.time(),
        )

    moment = "2023-11-14T22:14:20+00:00"
    assert run_alone(main) == (moment, moment, "22:14:20", 2023, 2023, True, True, moment[:19], True)
