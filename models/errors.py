"""The error a visitor can cause."""


class InputError(ValueError):
    """A sentence that says what is wrong and what to do, and a code by which a page says it in any language.

    Args:
        code: a stable key such as ``"image_unreadable"``; the page's locales translate it.
        message: the sentence in English.
        details: the figures and names the sentence holds.
    """

    def __init__(self, code: str, message: str, **details: object):
        super().__init__(message)
        self.code = code
        self.details = details
