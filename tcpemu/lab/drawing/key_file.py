"""What marking has to know of a whole class, as a file. It is for teachers only: every answer stands in it."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from tcpemu.lab.format.lab_error import LabError
from tcpemu.lab.format.lab_file import Number, Question
from tcpemu.scenario.format import validation_errors
from tcpemu.scenario.format.strict_table import Table

KEY_FILE = "key.json"
MADE_BY = "tcpemu lab make writes it as teacher/key.json"


class SlipKey(Table):
    """A usual wrong answer of one student."""

    answer: Number
    """What it is."""
    say: str
    """What is said to whoever gives it."""
    share: Number
    """The part of the points that it still gets."""


class OptionKey(Table):
    """One answer of a choice, as it stands on the handout of one student."""

    letter: str
    """a, b, c ..."""
    text: str
    """What the student reads."""
    right: bool
    """Whether it is the right one."""
    say: str
    """What is said to whoever chooses it wrongly."""


class AnswerKey(Table):
    """The answer of one student to one question."""

    name: str
    """The question's."""
    text: str
    """What is asked, with the values of this student."""
    right: str
    """The right answer: a number, a letter, a frame; empty where something is handed in."""
    because: str
    """Why it is so."""
    slips: Annotated[tuple[SlipKey, ...], Field(strict=False)] = ()
    """Usual wrong answers."""
    options: Annotated[tuple[OptionKey, ...], Field(strict=False)] = ()
    """Of a choice, in the order of the handout."""
    start: str = ""
    """Of a scenario that is to be mended: its text as the student gets it."""

    @property
    def answer_words(self) -> str:
        """The right answer for people: of a choice with its text."""
        words = [f"{option.letter}: {option.text}" for option in self.options if option.right]
        return words[0] if words else self.right


class StudentKey(Table):
    """All of one student."""

    id: str
    """As it stands in the list of the class."""
    name: str
    """Empty if the list has none."""
    email: str
    """As Gradescope knows it; empty if the list has none."""
    seed: int
    """Of the run, and of the runs of what is handed in."""
    attempt: int
    """How often it was drawn again until it was like the others."""
    known: dict[str, int | float | str]
    """The draws and values, as queries have them."""
    shown: dict[str, str]
    """The same, as texts have them."""
    answers: Annotated[tuple[AnswerKey, ...], Field(strict=False)]
    """In the order of the questions."""


class KeyFile(Table):
    """The key of a class."""

    version: Literal[1]
    """Of this form."""
    lab: str
    """The lab's name."""
    title: str
    """And its title."""
    questions: Annotated[tuple[Question, ...], Field(strict=False)]
    """As lab.toml has them."""
    files: dict[str, str]
    """The programs of the lab that run beside those of students, by their names."""
    students: Annotated[tuple[StudentKey, ...], Field(strict=False)]
    """In the order of the list."""

    def student(self, id: str) -> StudentKey | None:
        """The student of that id, capitals or not."""
        return next((each for each in self.students if each.id.lower() == id.lower()), None)

    def as_text(self) -> str:
        """What stands in the file."""
        return self.model_dump_json(by_alias=True, exclude_unset=True, indent=1) + "\n"


def read_key(path: Path) -> KeyFile:
    """The key in a file. Raises LabError, OSError from the disk."""
    try:
        return KeyFile.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first: Any = error.errors()[0]
        if first["type"] == "json_invalid":
            raise LabError(str(path), f"this is no key: {first['msg']}", MADE_BY) from None
        what = f"this is no key, or one of another version: {first['msg']}"
        raise LabError(str(path), what, MADE_BY, validation_errors.path(first["loc"])) from None
