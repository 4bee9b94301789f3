"""What is found in a capture, told: as lines for people, as plain data for programs.

of the capture      quality_lines.py: what it lacks · connection_list.py: its connections · survey_lines.py: both
for programs        survey_json.py
"""
