"""`tcpemu lab`: labs made for a class, and marked.

lab_app.py    its commands with their options
make_labs.py  `lab list`, `lesson`, `make`: what there is, and what is written
grade_labs.py `lab grade`: marks as lines, CSV, JSON, results.json
own_labs.py   `lab new`, `check`, `ask`: labs of one's own
"""
