"""Turn a Keras model that was trained elsewhere into a model file."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from imgcls.core.child import run_child
from imgcls.core.errors import ModelError, OutputError, UsageError
from imgcls.core.files import write_atomically
from imgcls.core.models.exported_description import BESIDE, description_beside
from imgcls.core.models.foreign_files import import_refusal
from imgcls.core.models.label_file import USUAL_NAMES, find_labels, read_labels
from imgcls.core.models.model_file import ENDING, ModelFile, read_model_file
from imgcls.core.pixels.preprocessing import RESIZES, SCALINGS, Resize, Scaling
from imgcls.core.progress import working
from imgcls.core.words import counted

log = logging.getLogger("imgcls")


@dataclass(frozen=True)
class ImportOptions:
    """What a Keras file does not say about itself.

    Attributes:
        labels: a file with the labels in the order of the scores; None looks for one beside the
            model.
        generic_labels: whether to take class_0, class_1, … where there is no such file.
        scaling: how pixels are scaled for the network; None for what lies in it, or else what its
            backbone was trained on.
        resize: how images are made square; None for what its trainers usually do.
        size: height and width of the input, for networks that leave them open.
        checks: (photo, label) pairs to try the model on.

    Raises:
        UsageError: they do not go together.
    """

    labels: str | os.PathLike[str] | None = None
    generic_labels: bool = False
    scaling: Scaling | None = None
    resize: Resize | None = None
    size: int | None = None
    checks: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.labels is not None and self.generic_labels:
            raise UsageError("give either `labels` or `generic_labels`")
        if self.scaling is not None and self.scaling not in SCALINGS:
            raise UsageError(f"`scaling` is one of {', '.join(SCALINGS)}")
        if self.resize is not None and self.resize not in RESIZES:
            raise UsageError(f"`resize` is one of {', '.join(RESIZES)}")
        if self.size is not None and not 1 <= self.size <= 4096:
            raise UsageError("`size` is 1 to 4096 pixels")


@dataclass(frozen=True)
class PhotoCheck:
    """What an imported model says of a photo whose label is known.

    Attributes:
        photo: its path.
        label: what it should say.
        answers: for each scaling, the imported one first: the label with the best score, and the
            score of `label`.
    """

    photo: str
    label: str
    answers: Mapping[str, tuple[str, float]]


@dataclass(frozen=True)
class ImportedModel:
    """An imported model.

    Attributes:
        file: what the model file says.
        max_difference: the greatest difference of a score from the source's own Keras model.
        real_images: on how many photos it was compared, beside the random images.
        scaling_guessed: whether the scaling is only the backbone's usual one.
        checks: what it says of the photos that were given.
    """

    file: ModelFile
    max_difference: float
    real_images: int
    scaling_guessed: bool
    checks: tuple[PhotoCheck, ...]

    def __repr__(self) -> str:
        """Return what it tells apart and how near it is to its source."""
        classes = counted(len(self.file.labels), "class")
        return f"<ImportedModel: {classes}, scores within {self.max_difference:.0e}>"


def import_model(
    file: str | os.PathLike[str],
    output: str | os.PathLike[str],
    options: ImportOptions | None = None,
    *,
    trust: bool = False,
    force: bool = False,
) -> ImportedModel:
    """Write an image classifier that Keras saved as a model file.

    The file is read without running any code that may be in it, by a child process with bounds
    on memory and time and without network. Nothing is written unless its scores are those of
    the source within 1e-5.

    Args:
        file: a whole model of Keras 3 or 2, .keras or .h5, whatever its name.
        output: the model file, ending in .safetensors.
        options: what the file does not say about itself.
        trust: that the file comes from somebody known.
        force: whether an existing model file may be overwritten.

    Raises:
        ModelError: imgcls cannot hold the model; the message says why.
        OutputError: the output exists, is something else than a model file, or cannot be written.
        UsageError: without `trust`, or where something must be said that the file does not say.

    Example:
        >>> import imgcls, keras
        >>> layers = [keras.Input((32, 32, 3)), keras.layers.Flatten()]
        >>> layers += [keras.layers.Dense(2, activation="softmax")]
        >>> keras.Sequential(layers).save("small.keras")
        >>> options = imgcls.ImportOptions(generic_labels=True, scaling="unit")
        >>> imported = imgcls.import_model("small.keras", "s.safetensors", options, trust=True)
        >>> imported.file.labels, imported.max_difference < 1e-5
        (('class_0', 'class_1'), True)
    """
    options = options or ImportOptions()
    if not trust:
        raise UsageError(
            f"{file}: imgcls runs nothing that is in it, but the library that reads it may have "
            "faults; if you know where it comes from, say `trust`"
        )
    _check_output(Path(output), force=force)
    if not os.path.exists(file):
        raise ModelError(f"{file}: no such file")
    with tempfile.TemporaryDirectory(prefix="imgcls-import-") as folder:
        outcome = _run_child(Path(file), Path(folder), options)
        written = Path(folder, "model.safetensors")
        model = read_model_file(written)
        _check_output(Path(output), force=force)  # it may have come meanwhile
        write_atomically(Path(output), written.read_bytes())
    checks = tuple(
        PhotoCheck(
            check["photo"], check["label"], {k: tuple(v) for k, v in check["answers"].items()}
        )
        for check in outcome.pop("checks")
    )
    return ImportedModel(model, checks=checks, **outcome)


def _run_child(file: Path, folder: Path, options: ImportOptions) -> dict[str, Any]:
    """Import in a child process; return what it found.

    Raises:
        ModelError: it cannot import the file, or was ended.
        UsageError: something must be said that is not in the file.
    """
    labels_file, labels = _labels(file, options)
    try:
        described = description_beside(file)
    except ValueError as error:
        raise UsageError(f"{file}{BESIDE}: is damaged: {error}; remove it") from error
    request = asdict(options) | {
        "file": os.fspath(file),
        "folder": os.fspath(folder),
        "output": os.fspath(folder / "model.safetensors"),
        "outcome": os.fspath(folder / "outcome.json"),
        "labels": labels,
        "labels_file": labels_file,
        "described": described,
        "scaling": options.scaling or (described and described["scaling"]),
    }
    code = "from imgcls.core.tasks.models.import_child import main; main()"
    with working(f"importing {file.name}"):
        child = run_child(code, json.dumps(request), folder, show=log.isEnabledFor(logging.DEBUG))
    outcome_file = folder / "outcome.json"
    if not outcome_file.is_file():
        raise ModelError(f"{file}: cannot be imported: {_why_ended(child)}")
    outcome: dict[str, Any] = json.loads(outcome_file.read_bytes())
    if "error" in outcome:
        raise (UsageError if outcome.get("usage") else ModelError)(outcome["error"])
    return outcome


def _why_ended(child: CompletedProcess[bytes]) -> str:
    last = (child.stderr or b"").decode(errors="replace").strip().rpartition("\n")[2]
    if child.returncode < 0:
        last = (
            f"reading it was ended by signal {-child.returncode}; it takes too much memory or time"
        )
    if last.startswith("MemoryError"):
        last = "it takes far more memory than its size accounts for"
    return last or f"reading it ended with status {child.returncode}"


def _labels(file: Path, options: ImportOptions) -> tuple[str, tuple[str, ...] | None]:
    """Return where the labels are from, and them; None for generic ones."""
    if options.labels is not None:
        return os.fspath(options.labels), read_labels(options.labels)
    found = None if options.generic_labels else find_labels(file)
    if found is not None:
        log.info("%s: the labels are from %s", file, found)
        return os.fspath(found), read_labels(found)
    if refused := import_refusal(file):  # else labels are asked for in vain
        raise ModelError(refused)
    if options.generic_labels:
        return "", None
    raise UsageError(
        f"{file}: what its classes are called is not in it, and no {', '.join(USUAL_NAMES[:2])} "
        "or the like lies beside it; name a file with `labels`, or take class_0, class_1 and so "
        "on with `generic_labels`"
    )


def _check_output(path: Path, *, force: bool) -> None:
    if path.suffix != ENDING:
        raise UsageError(f"{path}: a model file ends in {ENDING}")
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent}: no such folder; make it first")
    if not path.exists():
        return
    try:
        read_model_file(path)
    except ModelError:
        raise OutputError(f"{path}: exists and is no model file; name another file") from None
    if not force:
        raise OutputError(f"{path}: exists; name another file, or use `force` to overwrite it")
