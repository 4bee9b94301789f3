"""What the folder of a lab and the list of a class may say, and what is said of their mistakes.

lab_file.py     the tables of lab.toml: draws, questions, what is alike for all
load_lab.py     from a folder, or the name of a lab that comes with the program, to a Lab
class_list.py   the students of ids.csv, and the secret
lab_error.py    a lab that cannot be: one message with the place and the mend
"""
