"""What one student gets, written into a folder."""

from pathlib import Path

from tcpemu.lab.drawing.variant import Variant
from tcpemu.lab.format.load_lab import Lab
from tcpemu.lab.making.answer_form import form_text
from tcpemu.lab.making.notebook_text import NOTEBOOK_FILE, notebook_text
from tcpemu.lab.pages.handout_page import ANSWERS_FILE, CAPTURE_FILE, HANDOUT_PAGE, handout_text
from tcpemu.lab.pages.lesson_page import LESSON_PAGE, lesson_text
from tcpemu.wire.atomic_write import write_whole
from tcpemu.wire.capture_file import write_capture


def write_student(lab: Lab, variant: Variant, folder: Path, *, notebook: bool) -> None:
    """Write everything that the student gets. Raises OSError from the disk."""
    folder.mkdir(parents=True)
    capture = variant.capture()
    write_capture(folder / CAPTURE_FILE, capture)
    write_whole(folder / HANDOUT_PAGE, handout_text(lab, variant, len(capture.packets)))
    write_whole(folder / ANSWERS_FILE, form_text(lab, variant))
    if notebook:
        write_whole(folder / NOTEBOOK_FILE, notebook_text(lab, variant))
    if lab.lesson:
        write_whole(folder / LESSON_PAGE, lesson_text(lab))
    for name, text in given_files(lab, variant).items():
        write_whole(folder / name, text)


def given_files(lab: Lab, variant: Variant) -> dict[str, str]:
    """The files of the lab that a student gets, by name: what is to be mended, and programs beside one's own."""
    found = {}
    for question, answer in zip(lab.file.questions, variant.key.answers, strict=True):
        if question.kind == "scenario":
            found[str(question.file)] = answer.start
        for peer in question.peers:
            name = peer.program.split()[0]
            found[name] = lab.files[name]
    return found
