"""Place one file at a new name: by copy, link, symbolic link or move."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from imgcls.core.files import remove_leftovers_once, temporary_name

SortMode = Literal["copy", "link", "symlink", "move"]


def place_copy(source: str, target: str) -> None:
    """Copy a file with its times to a new name, whole or not at all.

    Raises:
        FileExistsError: there is something of that name.
        OSError: it cannot be copied.
    """
    import shutil

    remove_leftovers_once(Path(target).parent)
    temporary = str(temporary_name(Path(target)))
    try:
        shutil.copy2(source, temporary)
        _rename_to_new(temporary, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def place_link(source: str, target: str) -> None:
    """Give a file a second name (a hard link).

    Raises:
        FileExistsError: there is something of that name.
        OSError: it cannot be linked, as across devices.
    """
    os.link(os.path.realpath(source), target)


def place_symlink(source: str, target: str) -> None:
    """Make a symbolic link with an absolute path.

    Raises:
        FileExistsError: there is something of that name.
        OSError: the file system has none.
    """
    os.symlink(os.path.abspath(source), target)


def place_move(source: str, target: str) -> None:
    """Move a file to a new name, across devices by a copy that is whole before it goes.

    Raises:
        FileExistsError: there is something of that name.
        OSError: it cannot be moved; it is then where it was.
    """
    if os.path.islink(source):
        raise OSError(errno.ELOOP, "it is a symbolic link, which would lose its way")
    try:
        _rename_to_new(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        place_copy(source, target)
        os.unlink(source)


def is_same_content(path: str, other: str) -> bool:
    """Whether two files are one, or equal byte for byte."""
    import filecmp

    return os.path.samefile(path, other) or filecmp.cmp(path, other, shallow=False)


def _rename_to_new(source: str, target: str) -> None:
    """Rename a file, but never onto another.

    POSIX renames onto what is there; a link and an unlink do not. Where there are no links,
    as on FAT, looking first is all that can be done.
    """
    if os.name == "nt":
        os.rename(source, target)
        return
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target) from error
        os.rename(source, target)
    else:
        os.unlink(source)


# How a file comes to its new name; each raises FileExistsError rather than overwrite.
SORT_MODES: Mapping[SortMode, Callable[[str, str], None]] = {
    "copy": place_copy,
    "link": place_link,
    "symlink": place_symlink,
    "move": place_move,
}
