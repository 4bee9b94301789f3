"""Classes of few students, and what such students might hand in."""

from pathlib import Path

from tcpemu.lab import Student, draw_variant, load_lab, make_class, mark_class, read_key, submissions
from tcpemu.lab.drawing.filled_texts import filled_scenario

SECRET = b"a secret of the tests"
ADA, BEN = Student("ada", "Ada L.", "ada@example.org"), Student("ben")

SMALL = """
title = "A small lab"
about = "A client connects to port {port}."
[draw.port]
from = 8000
to = 8999
set = "server.port"
[values]
client = "select port from clients"
[[questions]]
name = "port"
kind = "number"
text = "From which port?"
answer = "select :client"
[[questions.wrong]]
answer = "select :port"
say = "That is the server's."
share = 0.5
"""
SCENARIO = """
title = "One client"
duration = "1 s"
[server]
port = 80
[[clients]]
name = "client"
do = ["connect", "close"]
"""


def lab_of(folder, text=SMALL, scenario=SCENARIO, **files):
    """A lab in a folder; further files by their names with _ for the dot."""
    folder.mkdir(exist_ok=True)
    (folder / "lab.toml").write_text(text)
    (folder / "scenario.toml").write_text(scenario)
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content)
    return load_lab(str(folder))


def class_of(folder, lab, students=(ADA, BEN), notebooks=False, jobs=1):
    """The folder of a class, and its key."""
    make_class(lab, students, SECRET, folder, notebooks=notebooks, jobs=jobs)
    return read_key(folder / "teacher" / "key.json")


def form(student, lab, answers):
    lines = [f"{name} = {value}" for name, value in answers.items()]
    return "\n".join([f'lab = "{lab.name}"', f'student = "{student}"', "[answers]", *lines]) + "\n"


def right_answers(key):
    """As TOML has them: numbers, and letters in quotes."""
    return {
        each.name: f'"{each.right}"' if each.options else each.right for each in key.answers if each.right
    }


def hand_in_right(folder, lab, student_key):
    """All that is right, in a student's folder."""
    (folder / "answers.toml").write_text(form(student_key.id, lab, right_answers(student_key)))
    for question in lab.file.questions:
        if question.handed_in:
            solution = lab.files[question.solution]
            if question.kind == "scenario":
                solution = filled_scenario(solution, student_key.shown)
            (folder / question.file).write_text(solution)


def marks_of(place, key, everybody=False):
    """By student: each question's points and what is said."""
    marked = mark_class(key, submissions(Path(place), key), everybody=everybody)
    return {each.id: {mark.name: (float(mark.points), mark.said) for mark in each.marks} for each in marked}


def variant(lab, student=ADA):
    return draw_variant(lab, SECRET, student)
