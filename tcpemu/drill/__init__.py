"""packetdrill scripts, run on the emulated host in virtual time, or on this machine's kernel.

    language/        a script's text becomes records; mistakes are told with the line and a caret
    setup/           options, constants, ICMP names, what shell commands set; calls that cannot be
    playing/         each event at its time: packets, calls, code, and what differs from the script
    running/         that on the emulated host, in virtual time
    writing/         a script out of packets that were seen
    on_kernel/       that on the kernel of a network namespace, in real time
    drill_reading.py      a script read whole, with what is asked for beside it
    drill_run.py          one script from its text to its outcome, on the emulated host
    drill_on_kernel.py    the same on this machine's kernel, in a child: drill_worker.py
    drill_on_both.py      on both, and where their packets differ: compared_packets.py
    drill_from_capture.py a script out of a capture, of which writing/ guesses the calls
    drill_outcome.py      what became of a script
    drill_suite.py        many scripts: which there are, and their outcomes as JUnit XML and captures

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

from tcpemu.drill.drill_on_both import run_text_on_both
from tcpemu.drill.drill_on_kernel import run_text_on_kernel
from tcpemu.drill.drill_outcome import DrillOutcome
from tcpemu.drill.drill_reading import DrillSettings
from tcpemu.drill.drill_run import run_file, run_text
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
    "run_text_on_both",
    "run_text_on_kernel",
    "scripts_in",
]
