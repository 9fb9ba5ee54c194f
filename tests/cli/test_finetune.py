from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from imgcls.core.models.model_file import read_model_file


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return [{**row, "seconds": ""} for row in csv.DictReader(file)]


def test_train_and_use(imgcls: Any, two_classes: Path, tmp_path: Path) -> None:
    done = imgcls("finetune", two_classes, "-o", "m.safetensors")
    assert done.returncode == 0, done.stderr
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    assert lines[0] == ["classes", "2 (squares 10, stripes 10)"]
    assert lines[1] == ["training", "images      20"]
    assert lines[2] == ["validation", "images    4"]
    assert lines[3] == ["validation", "accuracy  100.00%  (51% to 100% for more such images)"]
    assert lines[4][0] == "kept" and lines[4][1].endswith(" of the features stage")
    assert lines[5][0] == "seconds"
    assert lines[6] == ["model", "m.safetensors"]
    assert "features 1/100: loss " in done.stderr
    assert "Checked: the saved model's scores match the trained one (difference ≤ " in done.stderr
    assert sorted(path.name for path in tmp_path.glob("m*")) == [
        *("m.history.csv", "m.history.png", "m.safetensors"),
    ]
    history = rows(tmp_path / "m.history.csv")
    assert [row["epoch"] for row in history] == [str(i + 1) for i in range(len(history))]
    assert (tmp_path / "m.history.png").read_bytes().startswith(b"\x89PNG")
    file = read_model_file(tmp_path / "m.safetensors")
    assert file.labels == ("squares", "stripes")
    assert file.backbone_weights == "own"
    assert file.training["classes"] == {"squares": 10, "stripes": 10}
    assert file.metrics["val_accuracy"] == 1.0
    assert (tmp_path / "m.safetensors").stat().st_size < 400_000

    again = imgcls("finetune", two_classes, "-o", "m.safetensors")
    assert again.returncode == 1
    assert again.stderr == (
        "Error: m.safetensors: exists; name another file, or use --force to overwrite it\n"
    )
    forced = imgcls("finetune", two_classes, "-o", "m.safetensors", "--force", "--head", "mlp")
    assert forced.returncode == 0, forced.stderr
    assert read_model_file(tmp_path / "m.safetensors").head.widths == (1280, 256, 2)

    picture = two_classes / "stripes" / "000.png"
    said = imgcls("predict", "-m", "m.safetensors", picture, "--top", "1")
    assert said.returncode == 0
    assert said.stdout.startswith(f"{picture}: stripes (")


def test_predict_needs_no_tensorflow_after_training_a_head(
    imgcls: Any, two_classes: Path, tmp_path: Path
) -> None:
    assert imgcls("finetune", two_classes, "-o", "m.safetensors").returncode == 0
    code = (
        "import sys; from imgcls import classify; "
        f"r = list(classify({str(two_classes)!r}, 'm.safetensors')); "
        "assert len(r) == 24 and r[0].predictions[0].label == 'squares'; "
        "print(sorted({'tensorflow', 'keras', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr


def test_bad_images_are_listed_before_training(imgcls: Any, two_classes: Path) -> None:
    picture = (two_classes / "stripes" / "000.png").read_bytes()
    (two_classes / "stripes" / "cut.png").write_bytes(picture[: len(picture) // 2])
    (two_classes / "squares" / "empty.jpg").write_bytes(b"")
    done = imgcls("finetune", two_classes, "-o", "m.safetensors")
    assert (done.returncode, done.stdout) == (1, "")
    first, second, error = done.stderr.splitlines()
    assert first == f"Warning: {two_classes}/squares/empty.jpg: empty file"
    assert second == f"Warning: {two_classes}/stripes/cut.png: truncated PNG"
    assert error == (
        "Error: 2 of 26 images cannot be read (empty.jpg, cut.png); repair or delete them, or use "
        "--skip-bad"
    )
    skipped = imgcls("finetune", two_classes, "-o", "m.safetensors", "--skip-bad")
    assert skipped.returncode == 3, skipped.stderr
    assert "training images      20\n" in skipped.stdout


def test_same_seed_same_metrics(imgcls: Any, two_classes: Path, tmp_path: Path) -> None:
    histories = []
    for seed in ("1", "1", "2"):
        name = f"m{len(histories)}"
        how = ("--augment", "full", "--epochs", "2", "--seed", seed, "--class-weights")
        done = imgcls("finetune", two_classes, "-o", f"{name}.safetensors", *how)
        assert done.returncode == 0, done.stderr
        histories.append(rows(tmp_path / f"{name}.history.csv"))
    assert {row["stage"] for row in histories[0]} == {"features", "augmented"}
    assert histories[0] == histories[1] != histories[2]


def test_validation_images_are_of_a_part_a_named_folder_or_split_off(
    imgcls: Any, two_classes: Path, tmp_path: Path
) -> None:
    data, aside = tmp_path / "data", tmp_path / "aside"
    shutil.copytree(two_classes, data / "training_set")
    for label in ("squares", "stripes"):
        for part in (data / "valid", aside):
            (part / label).mkdir(parents=True)
        for index in range(6):
            name = f"{label}/{index:03d}.png"
            part = data / "valid" if index < 4 else aside
            (data / "training_set" / name).rename(part / name)
    for arguments, training, validation in (
        ((), 12, 8),
        (("--validation", aside), 12, 4),
        (("--val-split", "0.5"), 6, 6),
    ):
        done = imgcls("finetune", data, "-o", "m.safetensors", "--force", *arguments)
        assert f"training images      {training}\n" in done.stdout, done.stderr
        assert f"validation images    {validation}\n" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("-o", "m.h5"), 2, "m.h5: a model file ends in .safetensors"),
        (("-o", "no/m.safetensors"), 1, "no: no such folder; make it first"),
        (("-m", "vgg61"), 1, "vgg61: no such model; did you mean vgg"),
        (("-m", "simple-cnn", "--unfreeze", "2"), 2, "simple-cnn is trained whole"),
        (("--unfreeze", "some"), 2, "some: must be a number of layers, or all"),
        (("--max-time", "soon"), 2, "soon: no length of time; write it like 90s, 30m or 1h30m"),
        (("--validation", "x", "--val-split", "0.1"), 2, "contradict each other"),
        (("--weights", "none.h5"), 1, "none.h5: no such weights file"),
    ],
)
def test_what_cannot_be_trained_is_one_line_and_an_exit_code(
    imgcls: Any, two_classes: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    done = imgcls("finetune", two_classes, "-o", "m.safetensors", *arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("Error: ")


def test_class_folders_that_cannot_be_learned(imgcls: Any, two_classes: Path) -> None:
    inner = two_classes / "photos"
    inner.mkdir()
    for label in ("squares", "stripes"):
        (two_classes / label).rename(inner / label)
    done = imgcls("finetune", two_classes, "-o", "m.safetensors")
    assert done.returncode == 2
    assert f"holds one class (photos); it holds folders itself: name {inner}\n" in done.stderr
    (inner / "squares").rename(inner / os.fsdecode("狗".encode("gbk")))
    done = imgcls("finetune", inner, "-o", "m.safetensors")
    assert done.returncode == 2
    assert r"the name of the class folder \xb9\xb7 is not UTF-8" in done.stderr


@pytest.mark.posix
def test_what_is_not_used_is_said(imgcls: Any, two_classes: Path, tmp_path: Path) -> None:
    shutil.copytree(two_classes / "stripes", tmp_path / "store")
    (two_classes / "linked").symlink_to(tmp_path / "store")
    shutil.copy(two_classes / "stripes" / "000.png", two_classes / "imageNotFound.png")
    before = {path: path.read_bytes() for path in two_classes.rglob("*.*")}
    done = imgcls("finetune", two_classes, "-o", "m.safetensors", "--epochs", "1")
    assert done.returncode == 0, done.stderr
    assert {path: path.read_bytes() for path in two_classes.rglob("*.*")} == before
    assert f"Warning: {two_classes}/linked: is a link to a folder and not used" in done.stderr
    assert "not used: 1 image beside the class folders (imageNotFound.png)" in done.stderr
    assert "linked-folder" not in done.stderr  # it was said


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files as POSIX does")
@pytest.mark.posix
def test_all_files_or_none(imgcls: Any, two_classes: Path, tmp_path: Path) -> None:
    (tmp_path / "m.history.png").mkdir()  # so that not all files can take their names
    done = imgcls("finetune", two_classes, "-o", "m.safetensors", "--force", "--epochs", "1")
    assert done.returncode == 1
    assert "m.history.png: is a folder" in done.stderr
    assert not (tmp_path / "m.safetensors").exists()
    limited = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)); "
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "runpy.run_module('imgcls', run_name='__main__')"
    )
    shutil.rmtree(tmp_path / "m.history.png")
    warm = imgcls("finetune", two_classes, "-o", "warm.safetensors", "--epochs", "1")
    assert warm.returncode == 0, warm.stderr  # what is kept in the cache is there now
    how = ("finetune", two_classes, "-o", "m.safetensors", "--epochs", "1")
    done = subprocess.run(
        [sys.executable, "-c", limited, *map(os.fspath, how)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert not list(tmp_path.glob("m.*"))


def test_two_runs_of_one_seed_are_one_file(imgcls: Any, two_classes: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        done = imgcls("finetune", two_classes, "-o", f"{name}.safetensors", "--epochs", "3")
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_an_interrupted_training_is_not_deleted(
    imgcls: Any, two_classes: Path, tmp_path: Path
) -> None:
    cut = ("finetune", two_classes, "-o", "m.safetensors")
    run_until("features 20/100", tmp_path, *cut)
    folder = tmp_path / "m.safetensors.checkpoints"
    before = sorted(folder.iterdir())
    assert before
    done = imgcls(*cut)
    assert (done.returncode, done.stdout) == (1, "")
    assert "go on with --resume, or begin anew with --force" in done.stderr
    assert sorted(folder.iterdir()) == before
    assert imgcls(*cut, "--resume").returncode == 0
    assert not folder.exists()


def run_until(line: str, cwd: Path, *arguments: str | Path) -> None:
    """Run imgcls and kill it outright when it has printed a line that starts so."""
    command = [sys.executable, "-m", "imgcls", *map(os.fspath, arguments)]
    with subprocess.Popen(command, cwd=cwd, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        for printed in running.stderr:
            if printed.startswith(line):
                running.kill()
                return
    raise AssertionError(f"{line} was never printed")


@pytest.mark.slow
def test_a_resumed_training_ends_as_one_that_was_not_interrupted(
    imgcls: Any, two_classes: Path, tmp_path: Path
) -> None:
    how = ("-m", "simple-cnn", "--epochs", "4", "--patience", "9", "--augment", "light")
    whole = imgcls("finetune", two_classes, "-o", "whole.safetensors", *how)
    assert whole.returncode == 0, whole.stderr
    cut = ("finetune", two_classes, "-o", "cut.safetensors", "--force", *how)
    folder = tmp_path / "cut.safetensors.checkpoints"
    for damage in (False, True):
        run_until("scratch 2/4", tmp_path, *cut)
        newest = sorted(folder.iterdir())[-1]
        if damage:
            content = bytearray(newest.read_bytes())
            content[-5] ^= 1
            newest.write_bytes(content)
        resumed = imgcls(*cut, "--resume")
        assert resumed.returncode == 0, resumed.stderr
        assert f"going on after epoch {1 if damage else 2} of scratch" in resumed.stderr
        assert ("the checkpoint before it is used" in resumed.stderr) is damage
        assert rows(tmp_path / "cut.history.csv") == rows(tmp_path / "whole.history.csv")
        assert whole.stdout.splitlines()[3] == resumed.stdout.splitlines()[3]
        assert not folder.exists()


@pytest.mark.slow
def test_fine_tuning_is_stored_and_resumed(imgcls: Any, two_classes: Path, tmp_path: Path) -> None:
    how = ("--unfreeze", "2", "--epochs", "3", "--learning-rate", "1e-4", "--head", "mlp")
    whole = imgcls("finetune", two_classes, "-o", "whole.safetensors", *how)
    assert whole.returncode == 0, whole.stderr
    cut = ("finetune", two_classes, "-o", "cut.safetensors", *how)
    run_until("fine-tuning 2/3", tmp_path, *cut)
    other = imgcls(*cut, "--seed", "5", "--resume")
    assert other.returncode == 2
    assert "is of a training with other options or images" in other.stderr
    resumed = imgcls(*cut, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert rows(tmp_path / "cut.history.csv") == rows(tmp_path / "whole.history.csv")
    file = read_model_file(tmp_path / "whole.safetensors")
    assert file.backbone_weights == "stored"
    said = imgcls("predict", "-m", "whole.safetensors", two_classes / "stripes", "--top", "1")
    assert said.returncode == 0
    assert all(": stripes (" in line for line in said.stdout.splitlines())


@pytest.mark.slow
def test_cars_and_flowers(imgcls: Any, cars_flowers: Path) -> None:
    for how, least in (((), 0.92), (("-m", "simple-cnn", "--epochs", "6"), 0.75)):
        done = imgcls("finetune", cars_flowers, "-o", "m.safetensors", "--force", *how)
        assert done.returncode == 0, done.stderr
        accuracy = float(done.stdout.splitlines()[3].split()[-1].rstrip("%")) / 100
        assert accuracy >= least
    scored = imgcls("predict", "-m", "m.safetensors", cars_flowers / "test" / "car", "--top", "1")
    assert scored.returncode == 0


@pytest.mark.slow
def test_another_size_goes_with_the_file(imgcls: Any, two_classes: Path, tmp_path: Path) -> None:
    how = ("--size", "96", "--resize", "pad", "--interpolation", "bicubic")
    done = imgcls("finetune", two_classes, "-o", "m.safetensors", *how, "--epochs", "5")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "m.safetensors").stat().st_size < 400_000  # the weights are not in it
    shown = imgcls("models", "info", "m.safetensors").stdout
    assert "padded to 96×96, bicubic" in shown
    picture = two_classes / "stripes" / "000.png"
    said = imgcls("predict", picture, "-m", "m.safetensors", "--top", "1")
    assert (said.returncode, said.stderr) == (0, "")  # it was compiled while it was trained
    assert said.stdout.startswith(f"{picture}: stripes (")
    drawn = imgcls("heatmap", picture, "-m", "m.safetensors", "-o", "h.png")
    assert drawn.stdout.startswith(f"{picture}: h.png  gradcam  top_activation  stripes (")
    judged = imgcls("evaluate", two_classes, "-m", "m.safetensors")
    assert "top-1              100.00%" in judged.stdout
    for name, options, size in (("same", (), 96), ("other", ("--size", "64"), 64)):
        again = imgcls(
            *("finetune", two_classes, "-m", "m.safetensors", "-o", f"{name}.safetensors"),
            *("--epochs", "5", *options),
        )
        assert again.returncode == 0, again.stderr
        preprocessing = read_model_file(tmp_path / f"{name}.safetensors").preprocessing
        assert (preprocessing.size, preprocessing.resize) == (size, "pad")
    tuned = imgcls(
        *("finetune", two_classes, "-o", "tuned.safetensors", "--size", "64"),
        *("--unfreeze", "2", "--epochs", "1"),
    )
    assert tuned.returncode == 0, tuned.stderr
    assert read_model_file(tmp_path / "tuned.safetensors").preprocessing.size == 64


@pytest.mark.slow
def test_from_scratch_at_another_size(imgcls: Any, two_classes: Path, tmp_path: Path) -> None:
    how = ("-m", "simple-cnn", "--size", "32", "--resize", "squash", "--epochs", "2")
    done = imgcls("finetune", two_classes, "-o", "m.safetensors", *how)
    assert done.returncode == 0, done.stderr
    file = read_model_file(tmp_path / "m.safetensors")
    assert (file.preprocessing.size, file.preprocessing.resize) == (32, "squash")
    assert file.head is not None and file.head.widths == (4 * 4 * 64, 128, 2)


def test_a_size_below_what_a_network_takes(imgcls: Any, two_classes: Path) -> None:
    done = imgcls("finetune", two_classes, "-o", "m.safetensors", "--size", "31")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: efficientnet-lite0: takes images of 32×32 pixels or more, not 31×31; give a larger "
        "--size\n"
    )


@pytest.mark.slow
def test_other_features_and_a_head_of_hidden_layers(
    imgcls: Any, two_classes: Path, tmp_path: Path
) -> None:
    how = ("--size", "64", "--features", "flatten", "--hidden", "8,4", "--dropout", "0.2")
    done = imgcls(
        *("finetune", two_classes, "-o", "m.safetensors", *how, "--augment", "light"),
        *("--epochs", "2"),
    )
    assert done.returncode == 0, done.stderr
    file = read_model_file(tmp_path / "m.safetensors")
    assert file.head is not None and file.head.widths == (2 * 2 * 1280, 8, 4, 2)
    assert (file.backbone_weights, file.features) == ("own", "flatten")
    assert re.search(r"\n  features +flatten\n", imgcls("models", "info", "m.safetensors").stdout)
    picture = two_classes / "stripes" / "000.png"
    for method in ("gradcam", "ablationcam"):
        drawn = imgcls("heatmap", picture, "-m", "m.safetensors", "-o", "h.png", "--method", method)
        assert drawn.returncode == 0, drawn.stderr
    assert imgcls("evaluate", two_classes, "-m", "m.safetensors").returncode == 0


@pytest.mark.slow
def test_features_of_a_network_in_a_file(imgcls: Any, two_classes: Path, tmp_path: Path) -> None:
    def train(output: str, *how: str | Path) -> Any:
        return imgcls("finetune", two_classes, "-o", output, "--epochs", "2", *how)

    small = ("--size", "32", "--hidden", "4")
    assert train("m.safetensors", "-m", "simple-cnn", *small).returncode == 0
    inner = train("inner.safetensors", "-m", "m.safetensors", "--features", "conv2")
    assert inner.returncode == 0, inner.stderr
    file = read_model_file(tmp_path / "inner.safetensors")
    assert file.head is not None and file.head.widths == (32, 2)  # the mean of 16×16 places
    assert (file.backbone_weights, file.features, file.preprocessing.size) == (
        *("stored", "conv2", 32),
    )
    picture = two_classes / "stripes" / "000.png"
    drawn = imgcls("heatmap", picture, "-m", "inner.safetensors", "-o", "h.png")
    assert drawn.stdout.startswith(f"{picture}: h.png  gradcam  last-activation  ")
    more = train("more.safetensors", "-m", "inner.safetensors", "--features", "flatten")
    assert (more.returncode, more.stderr.splitlines()[-1]) == (
        2,
        "Error: inner.safetensors: holds its network without conv3; take --features that come "
        "before that layer",
    )


def test_a_folder_that_is_not_there_is_said_before_weights_are_fetched(imgcls: Any) -> None:
    done = imgcls("finetune", "gone", "-o", "m.safetensors", "-m", "resnet50")
    assert (done.returncode, done.stderr) == (
        2,
        "Error: gone: no such folder or table; name a folder that holds a folder per class, or a "
        "CSV file with the columns path and label\n",
    )
