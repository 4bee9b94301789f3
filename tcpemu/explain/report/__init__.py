"""A run as a page to step through, in one HTML file that needs no network.

- `socket_changes.py`: what each step of a run changed in the socket table
- `report_data.py`: what the page shows of a run, as plain data
- `report_page.py`: that and the assets in one file

In `assets`, `replay.js` knows how all stands after each step, `trains.js` which steps of a transfer go together,
`ladder.js`, `timeline.js` (with `windows.js`) and `panel.js` draw it, and `app.js` moves from step to step: all of
them draw into `view.html`, in whatever page it stands. `page.html` is the page of a report, and `start.js` opens it;
`head.html` is how both that page and the playground begin.
"""
