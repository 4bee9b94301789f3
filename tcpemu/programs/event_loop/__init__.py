"""asyncio in virtual time: one event loop for coroutines on many hosts, without a thread.

emulated_loop.py        CPython's own SelectorEventLoop, over sockets of hosts
advancing_selector.py   its selector, which lets the network go on while nothing is ready
waiting_tasks.py        which tasks wait, and where in their code
"""
