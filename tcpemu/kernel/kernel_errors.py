"""What goes wrong when the real kernel is asked."""


class KernelError(RuntimeError):
    """The kernel could not be asked, or not be understood."""


class KernelUnavailableError(KernelError):
    """Traces cannot be run on the kernel by this user on this machine; the message says what is missing."""


class StepError(ValueError):
    """A step of a trace cannot be done: the message says which, with what, and what would be right."""
