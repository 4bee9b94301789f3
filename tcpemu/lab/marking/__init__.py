"""What students handed in: found, marked, and told.

answers_text.py  the text of a file of answers, however it was saved
submission.py    folders and files with answers, and whose they are
marked.py        what came of the marking, as values
mark_answer.py   one answer: right, a usual mistake, wrong, or none
mark_student.py  all of one student
mark_class.py    a whole class, one after the other: nobody's mistake stops it
grade_sheets.py  marks as CSV, as JSON, as lines
gradescope.py    results.json, and who handed in according to Gradescope
"""
