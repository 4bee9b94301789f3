"""Tests in a real browser: what they need, without which they are skipped."""

from contextlib import contextmanager

import pytest

from tools._real_browser import CHROMIUM, chromium

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt install chromium")


@contextmanager
def open_browser():
    """Chromium, as all tests start it."""
    pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[test]'")
    with chromium() as browser:
        yield browser
