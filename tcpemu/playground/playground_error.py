"""What goes wrong when the page is made."""


class PlaygroundError(ValueError):
    """The page cannot be made: the message says what is missing, and how it is had."""
