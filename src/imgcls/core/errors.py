"""What can go wrong, by whose fault it is.

Every message is one line: what is wrong with which thing; what to do about it.
The command line turns the kinds into exit codes in one place.
"""

from __future__ import annotations

_LONGEST_REASON = 200  # characters of what a library says


class ImgclsError(Exception):
    """A mistake that the user can put right; its text is one line."""


class UsageError(ImgclsError):
    """A combination of arguments that makes no sense."""


class ImageError(ImgclsError):
    """One image that cannot be read; the rest of the batch goes on."""


class NoImagesError(ImgclsError):
    """The inputs hold no image at all."""


class ModelError(ImgclsError):
    """A model that is unknown, damaged or cannot be run."""


class WeightsError(ModelError):
    """Weights that are missing or do not fit their model."""


class OutputError(ImgclsError):
    """A result that cannot be written."""


class ClusterError(ImgclsError):
    """A cluster that cannot be reached, or cannot do the work."""


class LabelError(ImgclsError):
    """Labels of images that do not fit the model."""


def as_image_error(error: Exception) -> ImageError:
    """Return what went wrong with one image as the error that becomes its record.

    Whatever a decoder or a drawing library raises, the rest of the batch goes on. With the
    logger at DEBUG the traceback is logged.

    Args:
        error: any exception that came of one image; an ImageError is returned as it is.
    """
    if isinstance(error, ImageError):
        return error
    import logging  # here, since every start reads this module

    logging.getLogger("imgcls").debug("one image failed", exc_info=error)
    if isinstance(error, MemoryError):
        return ImageError("too large for the memory that is free")
    text = one_line(str(error))
    if isinstance(error, ImgclsError):
        return ImageError(text)
    if isinstance(error, OSError) and error.strerror:
        return ImageError(error.strerror.lower())
    kind = type(error).__name__
    return ImageError(
        f"it cannot be used ({kind}: {text})" if text else f"it cannot be used ({kind})"
    )


def one_line(text: str) -> str:
    """Return a text from elsewhere as one line of at most 200 printable characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 1] + "…"
