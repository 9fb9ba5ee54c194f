"""`imgcls heatmap` as a program: names, formats, exit codes, and what it leaves alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def photo(samples: Path, tmp_path: Path) -> Path:
    path = tmp_path / "cat.jpg"
    shutil.copy(samples / "cat.jpg", path)
    return path


def pixels(path: Path) -> Any:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def records(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_one_photo_to_a_file(imgcls: Run, photo: Path, tmp_path: Path) -> None:
    before = photo.read_bytes()
    done = imgcls("heatmap", "cat.jpg", "-o", "why.png")
    assert done.returncode == 0
    assert done.stdout == ("cat.jpg: why.png  gradcam  top_activation  tiger_cat (37.45%)\n")
    assert photo.read_bytes() == before
    drawn, original = pixels(tmp_path / "why.png"), pixels(photo)
    assert drawn.shape == original.shape == (300, 451, 3)
    # The network sees the 262.5 pixels in the middle; the rest is not coloured.
    np.testing.assert_array_equal(drawn[:, :94], original[:, :94])
    np.testing.assert_array_equal(drawn[:18], original[:18])
    assert (drawn[19:281, 95:356] != original[19:281, 95:356]).any(axis=-1).mean() > 0.95


def test_default_heatmap_needs_neither_tensorflow_nor_matplotlib(
    imgcls: Run, photo: Path, tmp_path: Path
) -> None:
    script = (
        "import sys\n"
        "from imgcls.cli.main import run\n"
        "assert run(['heatmap', 'cat.jpg', '-o', 'out', '--panel', '--raw']) == 0\n"
        "loaded = {'tensorflow', 'keras', 'matplotlib', 'scipy', 'rich'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "cat.heatmap.npy",
        "cat.heatmap.png",
    ]


def test_a_folder_is_mirrored_and_bad_files_are_passed_over(
    imgcls: Run, samples: Path, tmp_path: Path
) -> None:
    (tmp_path / "in" / "deep" / "er").mkdir(parents=True)
    (tmp_path / "in" / ".hidden").mkdir()
    shutil.copy(samples / "cat.jpg", tmp_path / "in" / "b.jpg")
    shutil.copy(samples / "rocket.jpg", tmp_path / "in" / "deep" / "er" / "c.jpg")
    shutil.copy(samples / "rocket.jpg", tmp_path / "in" / ".hidden" / "d.jpg")
    (tmp_path / "in" / "a.jpg").write_bytes(b"no image")
    done = imgcls("heatmap", "in", "-o", "out", "-f", "jsonl")
    assert done.returncode == 3
    bad, cat, rocket = records(done)
    assert (bad["path"], bad["status"], bad["output"]) == ("in/a.jpg", "error", None)
    assert bad["error"] == "not an image, or of a format that is not read"
    assert (cat["output"], cat["class"]) == ("out/b.heatmap.png", "tiger_cat")
    assert rocket["output"] == "out/deep/er/c.heatmap.png"
    written = sorted(str(p.relative_to(tmp_path)) for p in (tmp_path / "out").rglob("*.*"))
    assert written == ["out/b.heatmap.png", "out/deep/er/c.heatmap.png"]
    # A second run writes over them, and a run into the folder itself takes none for a photo.
    assert imgcls("heatmap", "in", "-o", "out", "-f", "jsonl").stdout == done.stdout
    for _ in range(2):
        inside = imgcls("heatmap", "in", "-o", "in", "-f", "jsonl")
        assert [record["path"] for record in records(inside)] == [
            "in/a.jpg",
            "in/b.jpg",
            "in/deep/er/c.jpg",
        ]


def test_names_never_collide(imgcls: Run, samples: Path, tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        shutil.copy(samples / "cat.jpg", tmp_path / folder / "a.jpg")
    for name in ("a.png", "a.jpg.png", "a"):
        Image.new("RGB", (30, 20), "green").save(tmp_path / "x" / name, "PNG")
    arguments = ("heatmap", "x", "y/a.jpg", "y/a.jpg", "-o", "out", "-f", "jsonl")
    outputs = [(r["path"], r["output"]) for r in records(imgcls(*arguments))]
    assert outputs == [
        ("x/a", "out/a.heatmap.png"),
        ("x/a.jpg", "out/a.jpg.heatmap.png"),
        ("x/a.jpg.png", "out/a.jpg.png.heatmap.png"),
        ("x/a.png", "out/a.png.heatmap.png"),
        ("y/a.jpg", "out/a.jpg.2.heatmap.png"),
        ("y/a.jpg", "out/a.jpg.3.heatmap.png"),
    ]
    assert len(list((tmp_path / "out").iterdir())) == 6
    assert [(r["path"], r["output"]) for r in records(imgcls(*arguments))] == outputs


def test_raw_is_the_map(imgcls: Run, photo: Path, tmp_path: Path) -> None:
    (record,) = records(imgcls("heatmap", "cat.jpg", "-o", "why.png", "--raw", "-f", "jsonl"))
    assert record["raw"] == "why.npy"
    cam = np.load(tmp_path / "why.npy")
    assert (cam.dtype, cam.shape) == (np.float32, (300, 451))
    assert cam.min() == 0 and 0.95 < cam.max() <= 1


def test_panel_and_other_formats(imgcls: Run, photo: Path, tmp_path: Path) -> None:
    for ending in ("jpg", "webp", "tiff"):
        for _ in range(2):  # the second writes over the first
            done = imgcls("heatmap", "cat.jpg", "-o", f"why.{ending}", "--panel")
            assert done.returncode == 0, done.stderr
        assert pixels(tmp_path / f"why.{ending}").shape[1] == 3 * 451


def test_alpha_and_colormap(imgcls: Run, photo: Path, tmp_path: Path) -> None:
    imgcls("heatmap", "cat.jpg", "-o", "none.png", "--alpha", "0")
    np.testing.assert_array_equal(pixels(tmp_path / "none.png"), pixels(photo))
    done = imgcls("heatmap", "cat.jpg", "-o", "none.png", "--alpha", "strong")
    assert "'strong' is neither a number nor evidence" in done.stderr
    imgcls("heatmap", "cat.jpg", "-o", "full.png", "--alpha", "1", "--colormap", "gray", "--raw")
    cam = np.load(tmp_path / "full.npy")[20:280, 100:350]
    drawn = pixels(tmp_path / "full.png")[20:280, 100:350]
    np.testing.assert_allclose(drawn, 255 * cam[..., np.newaxis].repeat(3, axis=-1), atol=1.6)


def test_no_evidence_is_reported_and_not_coloured(imgcls: Run, photo: Path, tmp_path: Path) -> None:
    # Grey squares on a grey image change nothing.
    Image.new("RGB", (60, 40), (128, 128, 128)).save(tmp_path / "grey.png")
    done = imgcls("heatmap", "grey.png", "-o", "why.png", "--method", "occlusion", "-f", "jsonl")
    (record,) = records(done)
    assert (done.returncode, record["status"]) == (0, "no evidence")
    assert (record["deletion"], record["error"]) == (None, None)
    np.testing.assert_array_equal(pixels(tmp_path / "why.png"), pixels(tmp_path / "grey.png"))
    answer = imgcls("heatmap", "grey.png", "-o", "why.png", "--method", "occlusion").stdout
    assert answer.endswith("  no evidence\n")


def test_faithfulness_and_versus(imgcls: Run, photo: Path) -> None:
    options = ("--class", "281", "--versus", "tiger cat", "--faithfulness")
    done = imgcls("heatmap", "cat.jpg", "-o", "why.png", *options, "-f", "jsonl")
    (record,) = records(done)
    assert (record["class"], record["rank"], record["versus"]) == ("tabby", 3, "tiger_cat")
    assert 0 < record["deletion"] < 1 and 0 < record["insertion"] < 1


def test_the_heatmap_of_an_image_on_stdin_is_called_stdin(
    imgcls: Run, samples: Path, tmp_path: Path
) -> None:
    content = (samples / "rocket.jpg").read_bytes()
    done = imgcls("heatmap", "-", "-o", "out", stdin=content)
    assert done.stdout.startswith("-: out/stdin.heatmap.png  gradcam  ")
    assert pixels(tmp_path / "out" / "stdin.heatmap.png").shape == (427, 640, 3)


def test_layer_list(imgcls: Run) -> None:
    done = imgcls("heatmap", "--layer", "list")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["stem_conv", "112×112×32"]
    assert lines[-1].split() == ["top_activation", "7×7×1280", "(default)"]


@pytest.mark.slow
def test_layer_list_of_a_network_with_running_names(imgcls: Run) -> None:
    (line,) = (
        line
        for line in imgcls("heatmap", "--layer", "list", "-m", "densenet121").stdout.splitlines()
        if line.endswith("(default)")
    )
    assert line.split() == ["relu", "7×7×1024", "(default)"]


def test_a_folder_may_have_a_dot_in_its_name(imgcls: Run, photo: Path, tmp_path: Path) -> None:
    for out in ("run.2", "run.jpg/"):
        assert imgcls("heatmap", "cat.jpg", "-o", out).returncode == 0
        assert [path.name for path in (tmp_path / out).iterdir()] == ["cat.heatmap.png"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "no output; name a file or a folder with --output"),
        (("-o", "cat.jpg"), 1, "cat.jpg: exists and is not an earlier heatmap"),
        (("-o", "note.txt"), 2, "note.txt: heatmaps are written as .png, .jpg"),
        (("-o", "notes"), 1, "notes: is a file; name a folder"),
        (("-o", "gone/why.png"), 1, "gone: no such folder; make it first"),
        (("-o", "why.bmp"), 2, "why.bmp: heatmaps are written as .png, .jpg"),
        (("-o", "why.xlsx"), 2, "why.xlsx: heatmaps are written as .png, .jpg"),
        (("cat.jpg", "-o", "one.png"), 2, "one.png: is one file, and there may be several images"),
        (("-o", "why.png", "--class", "tigre"), 2, "tigre: no such class; did you mean"),
        (("-o", "why.png", "--colormap", "virid"), 2, "virid: no such colour map"),
        (("-o", "why.png", "--rank", "0"), 2, "Invalid value for '--rank'"),
        (("-o", "why.png", "--method", "cam"), 2, "Invalid value for '--method'"),
        (("-o", "why.png", "--class", "1", "--rank", "1"), 2, "--class and --rank both"),
        (("-o", "why.png", "--method", "eigencam", "--versus", "1"), 2, "leave out --versus"),
    ],
)
def test_errors_are_one_line(
    imgcls: Run, photo: Path, tmp_path: Path, arguments: Any, code: int, message: str
) -> None:
    (tmp_path / "notes").write_text("mine")
    before = photo.read_bytes()
    done = imgcls("heatmap", "cat.jpg", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1
    assert message in done.stderr
    assert photo.read_bytes() == before
    assert (tmp_path / "notes").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cat.jpg", "notes"]


def test_someone_elses_file_in_the_folder_is_kept(
    imgcls: Run, samples: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    own = tmp_path / "out" / "cat.heatmap.png"
    Image.new("RGB", (5, 5), "blue").save(own)
    before = own.read_bytes()
    photos = [str(samples / f"{name}.jpg") for name in ("cat", "rocket")]
    done = imgcls("heatmap", *photos, "-o", "out")
    assert done.returncode == 3
    assert "cat.heatmap.png: exists and is not an earlier heatmap" in done.stdout
    assert own.read_bytes() == before
    assert (tmp_path / "out" / "rocket.heatmap.png").exists()


def test_the_input_itself_is_never_the_output(imgcls: Run, photo: Path, tmp_path: Path) -> None:
    imgcls("heatmap", "cat.jpg", "-o", "why.png")
    before = (tmp_path / "why.png").read_bytes()
    done = imgcls("heatmap", "why.png", "-o", "why.png")
    assert done.returncode == 1
    assert (tmp_path / "why.png").read_bytes() == before


def test_nothing_is_fetched_or_compiled_for_no_photo(imgcls: Run, photo: Path) -> None:
    """Weights that are not here, and which may not be fetched, would be an error."""
    done = imgcls("heatmap", "gone.jpg", "-o", "out", "-m", "resnet50")
    assert (done.returncode, done.stdout) == (1, "gone.jpg: error: no such file\n")
    assert done.stderr == "Error: no image could be read (1 failed)\n"
    for method in ("gradcam", "occlusion"):
        how = ("-o", "out", "-f", "jsonl", "--method", method)
        alone = imgcls("heatmap", "gone.jpg", *how)
        assert alone.returncode == 1
        assert records(alone) == records(imgcls("heatmap", "gone.jpg", photo.name, *how))[:1]
