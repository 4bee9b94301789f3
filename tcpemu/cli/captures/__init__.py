"""Commands about captures of real systems.

options         diagnose_options.py: what `tcpemu diagnose` and `tcpemu answer` are asked for
what they do    diagnose_command.py: what is in a capture, what happened and why · answer_command.py: what Linux would
                have answered
files           diagnosis_files.py: what `tcpemu diagnose -o` writes, by the ending of a name
others          named_capture.py: a capture where a command takes a scenario
"""
