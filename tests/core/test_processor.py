"""What the system says of its processor, read from a file as Linux writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.processor import processor, usable_cores

OLD = "processor\t: 0\nmodel name\t: Intel(R)  Core(TM) i5-2500\nflags\t\t: fpu sse4_2 avx\n"
NEW = "model name\t: AMD EPYC\nflags\t\t: fma avx2 avx512f avx512_vnni avx_vnni\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd asimddp\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (OLD, "Intel(R) Core(TM) i5-2500 (none of AVX2, AVX-512, NEON)"),
        (NEW, "AMD EPYC (AVX2, FMA, AVX-512, VNNI)"),
        (ARM, "(NEON, dot product)"),
    ],
)
def test_instruction_sets_that_matter(text: str, expected: str, tmp_path: Path) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(text)
    assert processor(file).endswith(expected)


def test_without_such_a_file_it_has_a_name_all_the_same(tmp_path: Path) -> None:
    assert processor(tmp_path / "none")


def test_usable_cores() -> None:
    assert usable_cores() >= 1
