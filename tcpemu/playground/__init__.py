"""The playground: the emulator itself in a page of a browser, with nothing to install; `tcpemu playground` makes it.

    the folder      write_playground.py: all of it, with what is loaded and how large it is · own_files.py: what of it
                    is ours · own_wheel.py: this package as a wheel · playground_error.py: what goes wrong
    what is brought pinned_packages.py: Python for browsers and the packages that scenarios need, with their hashes ·
                    brought_packages.py: by npm and pip
    what it offers  experiments.py: questions (`experiments.toml`), the built-in scenarios, the lessons of the labs
    in the page     browser/: what the page asks of the emulator, in Python

In `assets`, `index.html` is the page around `view.html` of the report, whose scripts draw the run: nothing of a run is
drawn by others. `playground.mjs` holds it together; `engine.mjs` starts and stops the worker in which the emulator runs
(`emulator_worker.mjs`); `control_board.mjs` shows sliders and switches; `packet_tools.mjs` takes packets away;
`side_by_side.mjs` shows another kernel; `python_console.mjs` takes lines of Python; `shared_link.mjs` puts all of it
into a link.
"""
