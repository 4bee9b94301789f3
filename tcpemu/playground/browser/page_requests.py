"""What the page asks for, each by its name, with values as JSON has them; and what it is answered.

An answer is plain data, or octets. Mistakes of the reader come back as `mistakes`, each with its line.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeAlias

from tcpemu.playground.browser import shown_scenario, text_changes
from tcpemu.playground.browser.line_help import help_of_line
from tcpemu.playground.browser.other_runs import differences
from tcpemu.playground.browser.packet_troubles import TroubleError
from tcpemu.playground.browser.shown_scenario import RunScenario, Told
from tcpemu.playground.browser.typed_python import Console
from tcpemu.scenario.format.problems import ScenarioError
from tcpemu.scenario.format.setting_paths import SettingError
from tcpemu.stack.base.errors import ConfigurationError

Answer: TypeAlias = Told | bytes


class Session:
    """One page: it remembers the run that is shown, and the one before it."""

    def __init__(self) -> None:
        self._ran: RunScenario | None = None
        self._console: Console | None = None
        self._requests: dict[str, Callable[..., Answer]] = {
            "run": self.run,
            "move": self.move,
            "trouble": self.trouble,
            "mend": self.mend,
            "more": self.more,
            "beside": self.beside,
            "capture": self.capture,
            "report": self.report,
            "story": self.story,
            "state": self.state,
            "python": self.python,
            "key_help": self.key_help,
        }

    def answer(self, name: str, values: dict[str, Any]) -> Answer:
        """Do what is asked for."""
        try:
            return self._requests[name](**values)
        except ScenarioError as error:
            return {"mistakes": shown_scenario.mistakes(error)}
        except (SettingError, TroubleError, ConfigurationError) as error:
            return {"mistakes": [{"line": None, "words": str(error)}]}
        except MemoryError:
            return {
                "mistakes": [{"line": None, "words": "the browser has no memory for so much: fewer clients"}]
            }

    def run(self, name: str, text: str) -> Told:
        """Run a text, and say of each of its runs what differs from the one before."""
        ran = shown_scenario.run_text(name, text)
        before, self._ran = self._ran, ran
        changes = None
        if before is not None and before.name == ran.name and before.text != ran.text:
            both = min(len(before.results), len(ran.results))
            changes = [differences(before, each, ran, each) for each in range(both)]
        return {**shown_scenario.told(ran), "changes": changes}

    def move(self, path: str, value: object) -> Told:
        """A control was moved."""
        text, notes = text_changes.moved(self._now, path, value)
        return {**self.run(self._now.name, text), "notes": notes}

    def trouble(self, run: int, packet: int, trouble: dict[str, object]) -> Told:
        """Something happens to a packet."""
        return self.run(self._now.name, text_changes.troubled(self._now, run, packet, trouble))

    def mend(self, table: str, place: int) -> Told:
        """It does not happen any more."""
        return self.run(self._now.name, text_changes.mended(self._now, table, place))

    def more(self, what: str, at: int, group: str | None = None) -> Told:
        """A client, a SYN, data or a RST is added."""
        return self.run(self._now.name, text_changes.with_more(self._now, what, at, group))

    def beside(self, kernel: str, run: int) -> Told:
        """The same run on another kernel: its page, and what differs."""
        text, notes = text_changes.moved(self._now, "server.generation", kernel)
        other = shown_scenario.run_text(self._now.name, text)
        run = min(run, len(other.results) - 1)
        changes = differences(self._now, min(run, len(self._now.results) - 1), other, run)
        return {"page": shown_scenario.report(other), "changes": changes, "notes": notes}

    def capture(self, run: int) -> bytes:
        """A .pcapng file."""
        return shown_scenario.capture(self._now, run)

    def report(self) -> Told:
        """A page that needs no Python."""
        return {"html": shown_scenario.report(self._now)}

    def story(self, run: int) -> Told:
        """What the command prints of it."""
        return {"text": shown_scenario.story(self._now, run)}

    def state(self, run: int, at: int) -> Told:
        """How all stands at a moment, as the command prints it."""
        return {"text": shown_scenario.state(self._now, run, at)}

    def python(self, line: str) -> Told:
        """A line of the console."""
        if self._console is None:
            self._console = Console()
        return asdict(self._console.typed(line))

    def key_help(self, text: str, line: int) -> Told:
        """What the key on a line of the text means."""
        return {"text": help_of_line(text, line)}

    @property
    def _now(self) -> RunScenario:
        if self._ran is None:
            raise SettingError("nothing has been run yet")
        return self._ran


def answered() -> Callable[[str, str], str | bytes]:
    """What the worker calls for each request of its page: the name and the values as JSON; JSON, or octets, comes."""
    session = Session()

    def answer(name: str, values: str) -> str | bytes:
        found = session.answer(name, json.loads(values))
        return found if isinstance(found, bytes) else json.dumps(found, ensure_ascii=False)

    return answer
