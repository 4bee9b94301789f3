"""What runs in the browser, under Pyodide, in a worker of the page. All of it runs anywhere else too.

- `page_requests.py`: what the page asks for, each by its name, and what it is answered
- `shown_scenario.py`: a scenario's text run: what the page shows of it, or all its mistakes
- `text_changes.py`: a control that was moved, a packet that was taken away: the text with that change
- `moved_controls.py`: the sliders and switches, where they stand, and what they write
- `packet_troubles.py`: what stands in a scenario's file so that exactly one packet is lost
- `other_runs.py`: what differs between this run and another one
- `line_help.py`: what the key on a line of the text means
- `typed_python.py`: the Python console
"""
