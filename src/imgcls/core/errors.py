"""What can go wrong, by whose fault it is.

Every message is one line: what is wrong with which thing; what to do about it.
The command line turns the kinds into exit codes in one place.
"""


class ImgclsError(Exception):
    """A mistake that the user can mend; its text is one line."""


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


class LabelError(ImgclsError):
    """Labels of images that do not fit the model."""
