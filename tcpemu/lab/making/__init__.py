"""The folder of a class: what each student gets, and what the teacher keeps.

make_class.py     all of it, student by student
student_folder.py handout, notebook, capture, the file of answers, what is to be mended
answer_form.py    the file of answers, to be filled in
notebook_text.py  the handout as a notebook
teacher_folder.py key, rubric, archives
rubric_text.py    the rubric, in Markdown
moodle_xml.py     the questions for Moodle
gradescope_zip.py the autograder for Gradescope
"""
