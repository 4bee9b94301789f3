"""Each student's own variant: drawn, checked to be like the others, and answered.

dice.py         numbers that only who has the secret can foretell
drawn_values.py what a lab draws, and where it goes
filled_texts.py values in texts
answer_keys.py  the right answers of one run, and the usual wrong ones
variant.py      draws until the run is like the others and each question has one right answer
key_file.py     what marking has to know of a whole class, as a file
"""
