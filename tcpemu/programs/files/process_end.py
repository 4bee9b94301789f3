"""The end of a process: its threads end, its files are closed."""

from __future__ import annotations

import logging
import os

from tcpemu.programs.files.open_files import OpenFile
from tcpemu.programs.waiting.computers import Process
from tcpemu.programs.waiting.whereabouts import current_thread


def end_process(process: Process) -> None:
    """It is over, as after exit(): its threads end, but for the one that says so; its files are closed."""
    if process.over:
        return
    process.over = True
    own = current_thread()
    loudness = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # thread pools log what ends their threads
    try:
        for thread in process.threads:
            if thread is not own and not thread.done:
                thread.end()
    finally:
        logging.disable(loudness)
    for number in sorted(process.files):
        file = process.files.pop(number, None)
        process.computers.files.pop(number, None)
        if isinstance(file, OpenFile):
            file.let_go()
            os.close(number)
