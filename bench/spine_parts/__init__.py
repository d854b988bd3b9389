"""The parts of bench/spine."""


class Failure(Exception):
    """The run cannot go on; the text is for whoever started it."""
