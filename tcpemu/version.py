"""Which version of tcpemu this is: what it writes into captures, pages and JSON, and `tcpemu --version` says."""

__version__ = "0.1.0"
