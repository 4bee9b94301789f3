"""What is raised where something cannot be made that reproduces an explanation."""


class CannotMakeError(Exception):
    """Why a file is not written, in a sentence."""
