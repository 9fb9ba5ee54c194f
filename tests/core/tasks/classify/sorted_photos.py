"""Small files to sort, and the records that say where they go."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from imgcls.core.models.labels import ClassLabel
from imgcls.core.tasks.classify.classify import Prediction, Record, Status
from imgcls.core.tasks.classify.placing import SortMode
from imgcls.core.tasks.classify.sorting import Sorter

HOSTILE_LABELS = [
    *("..", ".", "", "/etc/passwd", "../../up", "a/b", "a\\b", "C:\\x", "con", "NUL.txt"),
    *("\x1b[2J", "x\0y", "new\nline", "dot.", "space ", ".hidden", "é" * 300, "\udcff", "<b>"),
    *("unknown", "Errors", "manifest.csv", "~", "-rf", "$(x)", "\u202eevil"),
]

LABELS = [ClassLabel("cat", "cat"), ClassLabel("n1", "=dog")]


def make(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode("utf-8", "surrogateescape"))
    return [folder / name for name in names]


def ok(path: Path | str, label: str = "cat", status: Status = "ok") -> Record:
    class_id = {one.label: one.class_id for one in LABELS}.get(label, label)
    return Record(
        str(path), status, "m", 1, 1, (Prediction(1, class_id, label, 0.123456789),), None
    )


def failed(path: Path) -> Record:
    return Record(str(path), "error", "m", None, None, (), "truncated JPEG")


def sort(
    folder: Path,
    mode: SortMode,
    records: Iterable[Record],
    labels: list[ClassLabel] = LABELS,
) -> Sorter:
    sorter = Sorter(str(folder), labels, mode)
    records = list(records)
    assert list(sorter.sort(records)) == records
    return sorter


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".csv")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(files)}
