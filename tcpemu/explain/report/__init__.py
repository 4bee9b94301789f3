"""A run as a page to step through, in one HTML file that needs no network.

`watch.py` notes the sockets after each step of a run, `data.py` makes of the run what the page shows, `page.py`
puts that and the assets into one file. In `assets`, `replay.js` knows how all stands after each step,
`ladder.js`, `timeline.js` and `panel.js` draw it, and `app.js` moves from step to step.
"""
