"""packetdrill scripts, run on the emulated host in virtual time.

    language/        a script's text becomes records; mistakes are told with the line and a caret
    setup/           options, constants, ICMP names, what shell commands set; calls that cannot be
    playing/         each event at its time: packets, calls, code, and what differs from the script
    running/         that on the emulated host, in virtual time
    drill_run.py     one script from its text to its outcome
    drill_suite.py   many scripts: which there are, and their outcomes as JUnit XML and captures

>>> from tcpemu.drill import run_text
>>> outcome = run_text('''
...  0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
... +0 bind(3, ..., ...) = 0
... +0 listen(3, 1) = 0
... +0 < S 0:0(0) win 65535 <mss 1000>
... +0 > S. 0:0(0) ack 1 <mss 1460>
... ''')
>>> outcome.passed
True
"""

from tcpemu.drill.drill_run import DrillOutcome, DrillSettings, run_file, run_text
from tcpemu.drill.drill_suite import junit_xml, scripts_in
from tcpemu.drill.language.parse_script import parse_script
from tcpemu.drill.language.script_mistake import ScriptError

__all__ = [
    "DrillOutcome",
    "DrillSettings",
    "ScriptError",
    "junit_xml",
    "parse_script",
    "run_file",
    "run_text",
    "scripts_in",
]
