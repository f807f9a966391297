"""One class per mistake. Each text says what happened and what to do about it."""


class AttnvizError(Exception):
    """Any mistake that attnviz can explain. `str(error)` is a sentence for the person who made it."""


class UnknownNameError(AttnvizError):
    """A mechanism, task, option or map that does not exist."""

    def __init__(self, what: str, name: object, known: object):
        super().__init__(f"There is no {what} {str(name)[:60]!r}. Choose one of: {', '.join(map(str, known))}.")


class OptionError(AttnvizError):
    """An option's value out of its bounds, or options that do not go together."""


class ShapeError(AttnvizError):
    """Two sizes that must be equal and are not; the text names both."""


class EmptyTextError(AttnvizError):
    """A text without a single word."""

    def __init__(self) -> None:
        super().__init__("There is no word to attend to yet. Type a sentence, or choose one of the examples.")


class InputError(AttnvizError):
    """One part of an input that cannot be used: `part` is its name, the sentence says what to do."""

    def __init__(self, part: str, sentence: str):
        super().__init__(sentence)
        self.part = part


class PictureError(AttnvizError):
    """A file that cannot be used as a picture."""


class ZooError(AttnvizError):
    """A weight file that is missing, damaged or of another version."""


class DataError(AttnvizError):
    """A data set that is not where it was looked for."""


class PairError(AttnvizError):
    """Two traces of which one cannot be compared with the other."""
