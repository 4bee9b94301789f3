"""What is found in a capture, told: as lines for people, as plain data for programs.

of the capture      quality_lines.py: what it lacks · connection_list.py: its connections · survey_lines.py: both
of a server         claim_lines.py: what is claimed, and how sure that is
of one frame        foreign_frame.py: in a capture that is not ours
of one host         answer_lines.py: what Linux would have answered, beside what was
beside it       beside_rows.py: the capture and the best explanation in rows · diagnosis_page.py: as a page
of a connection     flow_pictures.py: drawn: sequence numbers, round-trip times, bits a second
as a capture        commented_capture.py: its own frames, with what is claimed of each as comments
for programs        survey_json.py: all of it
"""
