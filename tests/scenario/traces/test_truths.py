"""Step traces that a real kernel has answered: the emulator answers each as it did.

`tests/traces/linux-6.18` holds one file a trace, with the kernel's own log; the judge says what counts as the same. The
folders beside it are named for other kernels, and hold answers that linux-6.18 would not give.
"""

import json
from pathlib import Path

import pytest

from tcpemu.generations import GENERATIONS
from tcpemu.scenario.traces.judge import difference
from tcpemu.scenario.traces.phases import judge
from tcpemu.scenario.traces.step_trace import run

TRACES = Path(__file__).parents[2] / "traces"
TRUTHS = TRACES / "linux-6.18"
OTHERS = sorted(path for folder in TRACES.iterdir() if folder != TRUTHS for path in folder.glob("*.json"))
NOT_YET: dict[str, str] = {}
"""What a kernel does and the emulator does not; each must fail, so that it is struck off when it no longer does."""


def load(path):
    return json.loads(path.read_text())


def marked(path):
    reason = NOT_YET.get(path.stem)
    marks = pytest.mark.xfail(reason=reason, strict=True) if reason else ()
    return pytest.param(path, id=path.stem, marks=marks)


@pytest.mark.parametrize("path", [marked(path) for path in sorted(TRUTHS.glob("*.json"))])
def test_the_emulator_answers_as_the_kernel_did(path):
    judged = judge(load(path))
    assert judged.same, str(judged)


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=f"{path.parent.name}-{path.stem}") for path in OTHERS]
)
def test_other_kernels_are_answered_for_as_they_did(path):
    judged = judge(load(path), generation_name=path.parent.name)
    assert judged.same, str(judged)


def test_other_kernels_answers_are_in_a_folder_of_their_name():
    assert {path.parent.name for path in OTHERS} >= {"linux-5.10.218", "linux-6.1.192", "linux-6.12.117"}
    for path in OTHERS:
        truth = load(path)
        version = ".".join(path.parent.name.removeprefix("linux-").split(".")[:2])
        assert truth["name"] == path.stem
        assert truth["kernel"].startswith(f"{version}.")
        assert path.parent.name in GENERATIONS


def test_there_are_truths_of_every_kind_and_each_goes_by_its_name():
    found = sorted(TRUTHS.glob("*.json"))
    assert len(found) > 300
    assert {path.stem for path in found} >= NOT_YET.keys()
    for path in found:
        truth = load(path)
        assert truth["name"] == path.stem
        assert truth["kernel"].startswith("6.18")
        assert truth["log"][-1]["do"] == ["sample"]


@pytest.mark.parametrize("name", ["client_established", "overflow_0886", "life_0569", "cookies_3019"])
def test_a_trace_answers_the_same_whatever_the_seed(name):
    truth = load(TRUTHS / f"{name}.json")
    assert difference(truth, run(truth, seed=12345)) is None


def test_a_wrong_answer_is_found():
    truth = load(TRUTHS / "client_established.json")
    wrong = run({**truth, "sysctl": {**truth["sysctl"], "net.ipv4.tcp_window_scaling": 0}})
    assert difference(truth, wrong) is not None
