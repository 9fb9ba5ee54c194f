from __future__ import annotations

from pathlib import Path

from PIL import Image

from imgcls.core.tasks.training.history import HEADER, Epoch, write_csv, write_plot


def test_history_files(tmp_path: Path) -> None:
    epochs = [
        Epoch("features", 1, 0.5, 0.75, 0.25, 0.875, 1.5),
        Epoch("fine-tuning", 0, None, None, 0.25, 0.875, 0.5),
        Epoch("fine-tuning", 1, 0.125, 1.0, 0.1234567, 1.0, 2.0),
    ]
    write_csv(tmp_path / "h.csv", epochs)
    assert (tmp_path / "h.csv").read_text().splitlines() == [
        ",".join(HEADER),
        "features,1,0.5,0.75,0.25,0.875,1.5",
        "fine-tuning,0,,,0.25,0.875,0.5",
        "fine-tuning,1,0.125,1,0.123457,1,2",
    ]
    write_plot(tmp_path / "h.png", epochs)
    with Image.open(tmp_path / "h.png") as image:
        assert image.width > 500
        assert image.info["Software"] == "imgcls"
