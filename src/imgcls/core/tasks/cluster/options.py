"""What a user may choose about a run on a cluster."""

from __future__ import annotations

import re
from dataclasses import dataclass

from imgcls.core.errors import UsageError

_ADDRESS = re.compile(r"local|auto|ray://[^/:\s]+:\d+|ray://\[[0-9a-fA-F:]+\]:\d+|[^/:\s]+:\d+")

# A worker that dies loses at most one part, seven seconds' work of the default model; to hand out
# the next takes Ray Data up to a fifth of a second. 10⁶ images make some 2,000 files.
DEFAULT_PART_SIZE = 512


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """Where a run takes place, and how it is divided.

    Attributes:
        address: "local" starts Ray on this machine, "auto" takes the cluster that this machine is
            part of, "ray://host:port" one elsewhere.
        part_size: how many images make one part of the output.
        workers: how many parts are worked on at once; default: one a processor core of the
            cluster.

    Raises:
        UsageError: the address is no address, or a number is out of range.
    """

    address: str
    part_size: int = DEFAULT_PART_SIZE
    workers: int | None = None

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.address):
            raise UsageError(
                f"`cluster` {self.address}: is no address; use local, auto or ray://HOST:PORT"
            )
        if self.part_size < 1:
            raise UsageError(f"`part_size` must be 1 or more; it is {self.part_size}")
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"`workers` must be 1 or more; it is {self.workers}")
