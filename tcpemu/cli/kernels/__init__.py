"""Commands about real kernels.

options and help    kernel_app.py: `tcpemu kernel` · trace_options.py: what those that answer traces are asked
what they do        kernel_command.py: which kernels there are, one brought, traces answered by one
"""
