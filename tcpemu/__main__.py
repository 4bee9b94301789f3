"""`python -m tcpemu` is the program `tcpemu`."""

from tcpemu.cli import main

if __name__ == "__main__":
    main()
