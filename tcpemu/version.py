"""Which version of tcpemu this is: what it writes into captures, pages and JSON, and `tcpemu --version` says."""

from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

__version__ = "0.1.0"


def build() -> str:
    """`compiled` where the core is there as extension modules, which Python then loads; else `plain Python`."""
    stack = Path(__file__).with_name("stack")
    found = any((stack / f"host{suffix}").exists() for suffix in EXTENSION_SUFFIXES)
    return "compiled" if found else "plain Python"
