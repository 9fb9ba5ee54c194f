"""Write photos with what the model says of them in the picture."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from PIL import Image, ImageDraw

from imgcls.core.engines.model import Model, load_model, map_chunks
from imgcls.core.errors import UsageError, as_image_error
from imgcls.core.fonts import draw_line
from imgcls.core.models.labels import ClassLabel
from imgcls.core.models.table import DEFAULT_MODEL
from imgcls.core.pixels.images import open_image
from imgcls.core.pixels.preprocessing import Interpolation, Resize
from imgcls.core.pixels.source import Source
from imgcls.core.pixels.sources import as_sources
from imgcls.core.tasks.classify.classify import Record, classify_chunk
from imgcls.core.tasks.classify.options import MIN_FAMILIARITY, ClassifyOptions
from imgcls.core.tasks.heatmap.output_names import name_drawn_photos, subject_of
from imgcls.core.tasks.heatmap.picture_files import make_folder, save_drawn_photo
from imgcls.core.words import unknown

# The longer side of what is written is brought between these, in pixels: text needs room, and
# JPEG has a greatest size.
_SIDES = (320, 16_000)
_LEAST_WIDTH = 240  # of a picture too slim to be written on
_TEXT_PART = 22  # of the picture's longer side is the height of the text
_BAND = 1.7  # times the height of the text
_SHADE = 0.6  # how much black lies over the photo behind the text


@dataclass(frozen=True, slots=True)
class DrawnPhoto:
    """What became of one input.

    Attributes:
        record: what `classify` says of it.
        output: the picture that was written; None where none was.
        error: why a photo with a prediction could not be drawn; None if it was, or has none.
    """

    record: Record
    output: str | None
    error: str | None = None


def draw_predictions(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str] | Source],
    folder: str | os.PathLike[str],
    model: str | Model = DEFAULT_MODEL,
    *,
    min_confidence: float = 0.0,
    min_familiarity: float = MIN_FAMILIARITY,
    resize: Resize | None = None,
    interpolation: Interpolation | None = None,
    workers: int | None = None,
) -> Iterator[DrawnPhoto]:
    """Classify images and write each, with its label and score in the picture, into a folder.

    The folders of the inputs are mirrored; a file is called `STEM.predicted.jpg`, with more of
    its name or a number where that is taken. Nothing but an earlier drawing of the same photo
    is written over.

    Args:
        inputs: files, folders, globs, URLs, "-" for stdin, or sources; read lazily.
        folder: where the pictures go; made if it is not there.
        model: a name from the table of models, the path of a model file, or an open model.
        min_confidence: an image whose best score is below this is "unknown".
        min_familiarity: an image less familiar than this to a model that `finetune` wrote is
            "unknown" too; 0 for none.
        resize: how the image is fitted to the network; default: the model's own way.
        interpolation: the resampling filter; default: the model's own.
        workers: how many images to work on at once; default: one a processor core.

    Yields:
        Record and picture of every input, in order; no picture of one that cannot be read.

    Raises:
        ModelError: the model is unknown or cannot be run.
        OutputError: a picture cannot be written.
        UsageError: the folder is a file, or a number is out of range.

    Example:
        >>> import imgcls
        >>> (drawn,) = imgcls.draw_predictions("sample_images/cat.jpg", "drawn")
        >>> drawn.record.predictions[0].label, drawn.output
        ('tiger_cat', 'drawn/cat.predicted.jpg')
    """
    options = ClassifyOptions(
        top=1,
        min_confidence=min_confidence,
        min_familiarity=min_familiarity,
        resize=resize,
        interpolation=interpolation,
        workers=workers,
    )
    target = os.fspath(folder)
    check_folder(target)
    opened = model if isinstance(model, Model) else load_model(model)
    return draw_sources(as_sources(inputs), target, opened, options)


def check_folder(folder: str) -> None:
    """Refuse a folder for drawings that is a file.

    Raises:
        UsageError: it is one.
    """
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise UsageError(f"{folder}: is a file; name a folder for the drawings")


def draw_sources(
    sources: Iterable[Source], folder: str, model: Model, options: ClassifyOptions
) -> Iterator[DrawnPhoto]:
    """Yield what becomes of every source, in order, as they are done; see `draw_predictions`."""

    def work(chunk: list[tuple[Source, str]]) -> list[DrawnPhoto]:
        read = [source.with_content() for source, _ in chunk]
        records = classify_chunk(model, options, read)
        jobs = zip(read, records, (output for _, output in chunk), strict=True)
        return [_write_one(source, record, output, model) for source, record, output in jobs]

    return map_chunks(model, work, name_drawn_photos(sources, folder), options.workers)


def draw_label(image: Image.Image, text: str, without_font: str = "") -> Image.Image:
    """Write a line on a band at the lower edge of a copy of an image.

    Args:
        image: RGB; a small one is enlarged.
        text: the line.
        without_font: what is written instead where no font has its characters.
    """
    least, most = _SIDES
    longer = max(image.size)
    scale = min(max(longer, least), most) / longer
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    drawn = Image.new("RGB", (max(size[0], _LEAST_WIDTH), size[1]), "white")
    photo = image.resize(size, Image.Resampling.LANCZOS) if size != image.size else image
    drawn.paste(photo, (0, 0))
    text_height = max(drawn.size) // _TEXT_PART
    band = (0, max(0, drawn.height - round(_BAND * text_height)), *drawn.size)
    under = drawn.crop(band)
    drawn.paste(Image.blend(under, Image.new("RGB", under.size), _SHADE), band[:2])
    margin = text_height // 2
    draw_line(
        ImageDraw.Draw(drawn),
        text,
        at=(margin, band[1] + round((_BAND - 1) / 3 * text_height)),
        ink="white",
        size=text_height,
        width=drawn.width - 2 * margin,
        without_font=without_font,
    )
    return drawn


def _write_one(source: Source, record: Record, output: str, model: Model) -> DrawnPhoto:
    if not record.predictions or source.content is None:
        return DrawnPhoto(record, None)
    best = record.predictions[0]
    text = f"{best.label}  {best.score:.2%}"
    if record.status == "unknown":
        text = unknown(best.label, best.score)
    # The number of the class comes first: what codes leave of its name tells little.
    column = model.labels.index(ClassLabel(best.class_id, best.label))
    try:
        photo = open_image(source.content).image
        picture = draw_label(photo, text, without_font=f"{column}: {text}")
    except Exception as error:  # of whatever kind: the other images are drawn
        return DrawnPhoto(record, None, str(as_image_error(error)))
    make_folder(os.path.dirname(output) or os.curdir)
    save_drawn_photo(picture, output, subject_of(source))
    return DrawnPhoto(record, output)
