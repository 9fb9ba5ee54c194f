"""What the system says of processor and memory, read from files as Linux writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.tasks.doctor.machine import free_memory, processor

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


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_containers_limit_counts(tmp_path: Path) -> None:
    assert free_memory(tmp_path) is None
    write(tmp_path / "proc/meminfo", "MemTotal:  9 kB\nMemAvailable:   4000 kB\n")
    assert free_memory(tmp_path) == 4_096_000
    group = tmp_path / "sys/fs/cgroup"
    write(group / "memory.max", "max\n")
    assert free_memory(tmp_path) == 4_096_000
    write(group / "memory.max", "3000\n")
    write(group / "memory.current", "1000\n")
    assert free_memory(tmp_path) == 2000


def test_the_older_kind_of_limit(tmp_path: Path) -> None:
    write(tmp_path / "proc/meminfo", "MemAvailable:   4000 kB\n")
    write(tmp_path / "sys/fs/cgroup/memory/memory.limit_in_bytes", "5000\n")
    write(tmp_path / "sys/fs/cgroup/memory/memory.usage_in_bytes", "1500\n")
    assert free_memory(tmp_path) == 3500
