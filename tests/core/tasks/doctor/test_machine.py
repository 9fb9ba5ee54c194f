"""What the system says of memory, read from files as Linux writes them."""

from __future__ import annotations

from pathlib import Path

from imgcls.core.tasks.doctor.machine import free_memory


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
