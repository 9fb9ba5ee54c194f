"""`--cluster` and `--part-size`; `cluster_run` does the work, and is imported only for it."""

from __future__ import annotations

from typing import Any

import click

from imgcls.cli.options import bundle
from imgcls.core.errors import UsageError
from imgcls.core.tasks.cluster.options import DEFAULT_PART_SIZE, ClusterOptions

options = bundle(
    click.option(
        "--cluster",
        metavar="ADDRESS",
        help="Work on a Ray cluster: local, auto or ray://HOST:PORT; --output is then a folder.",
    ),
    click.option(
        "--part-size",
        type=click.IntRange(min=1),
        metavar="N",
        help=f"With --cluster, how many images one file has.  [default: {DEFAULT_PART_SIZE}]",
    ),
)


def chosen(
    address: str | None, part_size: int | None, workers: int | None, **refused: Any
) -> ClusterOptions | None:
    """Return the cluster that the options name; None for this process.

    Args:
        address: as `--cluster`.
        part_size: as `--part-size`.
        workers: as `--workers`.
        refused: parameter → value of the options that do not go with a cluster.

    Raises:
        UsageError: they contradict each other, or Ray is not here.
    """
    if address is None:
        if part_size is not None:
            raise UsageError("`part_size` goes with `cluster`")
        return None
    if others := [f"`{name}`" for name, value in refused.items() if value]:
        raise UsageError(f"`cluster` does not go with {' or '.join(others)}")
    from imgcls.core.tasks.cluster.ray_cluster import check_ray

    how = ClusterOptions(address, part_size or DEFAULT_PART_SIZE, workers)
    check_ray()
    return how
