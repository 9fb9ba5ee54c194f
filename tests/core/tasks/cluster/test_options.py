"""What a cluster run may be asked for."""

from __future__ import annotations

import pytest

from imgcls.core.errors import UsageError
from imgcls.core.tasks.cluster.options import ClusterOptions


@pytest.mark.parametrize(
    "address", ["local", "auto", "ray://head:10001", "ray://[::1]:10001", "10.0.0.7:6379"]
)
def test_an_address(address: str) -> None:
    assert ClusterOptions(address).address == address


@pytest.mark.parametrize("address", ["", "ray://head", "http://head:1", "head", "ray://a b:1"])
def test_no_address(address: str) -> None:
    with pytest.raises(UsageError, match="is no address; use local, auto or ray://HOST:PORT"):
        ClusterOptions(address)


def test_numbers_out_of_range() -> None:
    with pytest.raises(UsageError, match="`part_size` must be 1 or more; it is 0"):
        ClusterOptions("local", part_size=0)
    with pytest.raises(UsageError, match="`workers` must be 1 or more; it is 0"):
        ClusterOptions("local", workers=0)
