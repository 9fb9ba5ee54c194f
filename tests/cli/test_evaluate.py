from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, classification_report, confusion_matrix

import imgcls as api
from imgcls.core.models.labels import imagenet_labels

Imgcls = Callable[..., "subprocess.CompletedProcess[str]"]

TEXT = """\
efficientnet-lite0: 3 images of 3 classes
  top-1               66.67%  (21% to 94% for more such images)
  top-5               66.67%
  macro F1            50.00%
  weighted F1         66.67%
  calibration error   31.91%

           precision  recall      F1  images
tiger_cat     100.0%  100.0%  100.0%       1
missile         0.0%    0.0%    0.0%       0
espresso      100.0%  100.0%  100.0%       1
cup             0.0%    0.0%    0.0%       1
macro          50.0%   50.0%   50.0%       3
weighted       66.7%   66.7%   66.7%       3

Confusion: rows true, columns predicted
                [0]   [1]   [2]   [3]
 [0] tiger_cat    1     ·     ·     ·
 [1] missile      ·     ·     ·     ·
 [2] espresso     ·     ·     1     ·
 [3] cup          ·     1     ·     ·

Kept and right by --min-confidence
  0     kept 100.0%  right  66.7%
  0.25  kept 100.0%  right  66.7%
  0.5   kept  33.3%  right 100.0%
  0.75  kept  33.3%  right 100.0%
  0.9   kept  33.3%  right 100.0%
  --min-confidence 0.3745 keeps 66.7%, of which 100.0% are right (asked for: 0.99)

Misclassified (1)
labelled/cup/rocket.jpg: cup, predicted as missile (28.55%)

Not scored (1)
labelled/cup/broken.jpg: error: truncated JPEG
"""

KEYS = [
    *("images", "top1", "top5", "classes", "macro", "weighted", "labels", "confusion_matrix"),
    *("ece", "coverage", "misclassified", "errors"),
    *("model", "top1_interval", "reliability", "risk_coverage", "recommended"),
]


@pytest.fixture
def by_label(samples: Path, tmp_path: Path) -> Path:
    """Return a folder of two right photos, a wrong one and a broken one."""
    root = tmp_path / "labelled"
    for label, name in {"tiger_cat": "cat", "n07920052": "coffee", "cup": "rocket"}.items():
        (root / label).mkdir(parents=True)
        shutil.copy(samples / f"{name}.jpg", root / label)
    (root / "cup" / "broken.jpg").write_bytes((samples / "cat.jpg").read_bytes()[:3000])
    return root


def test_agrees_with_scikit_learn_on_what_predict_says(
    imgcls: Imgcls, imagenet_sample: Path
) -> None:
    done = imgcls("-q", "evaluate", imagenet_sample, "--labels-from", "filename", "-f", "json")
    assert (done.returncode, done.stderr) == (0, "")
    ours = json.loads(done.stdout)
    assert list(ours) == KEYS
    names = {one.class_id: one.label for one in imagenet_labels()}
    records = list(api.classify(imagenet_sample))
    actual = [names[Path(record.path).name.partition("_")[0]] for record in records]
    said = [record.predictions[0].label for record in records]
    five = [[one.label for one in record.predictions] for record in records]
    assert ours["images"] == 100
    assert ours["top1"] == pytest.approx(accuracy_score(actual, said)) and ours["top1"] >= 0.88
    assert ours["top5"] == np.mean([a in labels for a, labels in zip(actual, five, strict=True)])
    assert sorted(ours["labels"]) == sorted({*actual, *said})
    matrix = confusion_matrix(actual, said, labels=ours["labels"])
    assert ours["confusion_matrix"] == matrix.tolist()
    theirs = classification_report(actual, said, output_dict=True, zero_division=0)
    for one in ours["classes"]:
        row = theirs[one["label"]]
        expected = (row["precision"], row["recall"], row["f1-score"], row["support"])
        figures = (one["precision"], one["recall"], one["f1"], one["support"])
        assert figures == pytest.approx(expected, abs=1e-6)
    for mean in ("macro", "weighted"):
        row = theirs[f"{mean} avg"]
        expected = (row["precision"], row["recall"], row["f1-score"])
        assert tuple(ours[mean].values()) == pytest.approx(expected, abs=1e-6)
    wrong = [record.path for record, a, s in zip(records, actual, said, strict=True) if a != s]
    assert [one["path"] for one in ours["misclassified"]] == wrong
    assert ours["coverage"][0] == {
        "min_confidence": 0.0,
        "coverage": 1.0,
        "accuracy": ours["top1"],
    }


def test_json_of_a_run_with_a_mistake_and_a_failure(imgcls: Imgcls, by_label: Path) -> None:
    done = imgcls("evaluate", by_label, "-f", "json")
    assert done.returncode == 3
    result = json.loads(done.stdout)
    assert (result["images"], result["top1"]) == (3, pytest.approx(2 / 3, abs=1e-6))
    assert result["labels"] == ["tiger_cat", "missile", "espresso", "cup"]  # as the model has them
    assert result["confusion_matrix"] == [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0]]
    (mistake,) = result["misclassified"]
    assert mistake["path"] == str(by_label / "cup" / "rocket.jpg")
    assert (mistake["label"], mistake["predicted"]) == ("cup", "missile")
    assert result["errors"] == [
        {"path": str(by_label / "cup" / "broken.jpg"), "error": "truncated JPEG"}
    ]


def test_csv_is_a_row_a_class(imgcls: Imgcls, by_label: Path) -> None:
    done = imgcls("-q", "evaluate", by_label, "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert list(rows[0]) == ["label", "precision", "recall", "f1", "support"]
    by_name = {row["label"]: tuple(row.values())[1:] for row in rows}
    assert by_name["espresso"] == ("1", "1", "1", "1")
    assert by_name["cup"] == ("0", "0", "0", "1")
    assert by_name["missile"] == ("0", "0", "0", "0")
    assert done.stderr == ""


def test_text(imgcls: Imgcls, by_label: Path) -> None:
    done = imgcls("evaluate", "labelled")
    assert done.returncode == 3
    # The last digits of scores are the machine's own.
    assert _masked(done.stdout).replace(os.sep, "/") == _masked(TEXT)


def _masked(text: str) -> str:
    text = re.sub(r"(--min-confidence 0\.3)\d+", r"\1", text)
    return re.sub(r"(calibration error +|missile \()\d+\.\d\d%", r"\1n%", text)


def test_labels_that_the_model_does_not_have(imgcls: Imgcls, by_label: Path) -> None:
    (by_label / "cup").rename(by_label / "mug")
    done = imgcls("evaluate", by_label)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(
        f"Error: {by_label}: has labels that the model does not have: mug; "
        "efficientnet-lite0 has 1000 classes: tench, goldfish, great_white_shark, tiger_shark, "
        "hammerhead, electric_ray, stingray, cock and 992 more; rename the folders, or name "
        "another model\n"
    )


def test_no_folder_and_no_class_folders(imgcls: Imgcls, samples: Path) -> None:
    done = imgcls("evaluate", "nix")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: nix: no such folder or table; name a folder of ")
    done = imgcls("evaluate", samples)
    assert done.returncode == 2
    assert "set --labels-from to filename" in done.stderr


def test_only_broken_images(imgcls: Imgcls, by_label: Path) -> None:
    for name in ("tiger_cat", "n07920052"):
        shutil.rmtree(by_label / name)
    (by_label / "cup" / "rocket.jpg").unlink()
    done = imgcls("evaluate", by_label)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no labelled image could be read (1 failed; the first: " in done.stderr


def test_report_overwrites_only_a_report(imgcls: Imgcls, by_label: Path, tmp_path: Path) -> None:
    report = tmp_path / "r.html"
    for _ in range(2):
        assert imgcls("evaluate", by_label, "--report", report).returncode == 3
        text = report.read_text("utf-8")
        assert text.startswith("<!DOCTYPE html>")
        assert text.count('<img class="heatmap" src="data:image/jpeg;base64,') == 1
    other = tmp_path / "other.html"
    other.write_text("<!DOCTYPE html><p>mine")
    done = imgcls("evaluate", by_label, "--report", other)
    assert done.returncode == 1 and "not an earlier output of this kind" in done.stderr
    assert other.read_text() == "<!DOCTYPE html><p>mine"


@pytest.mark.linux
def test_figures_are_printed_where_the_report_fails(imgcls: Imgcls, by_label: Path) -> None:
    done = imgcls("evaluate", by_label, "--report", "/dev/full", "-f", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["images"] == 3
    assert "Error: /dev/full: cannot be written" in done.stderr


def test_a_folder_of_parts_names_the_one_to_score(imgcls: Imgcls, tmp_path: Path) -> None:
    for name in ("train/cup", "train/espresso", "val/cup"):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "x.jpg").write_bytes(b"\xff\xd8\xff")
    done = imgcls("evaluate", "data")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(
        "Error: data: holds folders of class folders (train, val); name the one to score, "
        "such as data/val\n"
    )


def test_inputs_are_not_changed_and_nothing_else_is_made(
    imgcls: Imgcls, by_label: Path, tmp_path: Path
) -> None:
    before = sorted(path for path in tmp_path.rglob("*"))
    imgcls("evaluate", by_label, "--report", tmp_path / "r.html")
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tmp_path / "r.html"])


def test_a_folder_that_is_not_there_is_said_before_weights_are_fetched(imgcls: Imgcls) -> None:
    done = imgcls("evaluate", "gone", "-m", "resnet50")
    assert (done.returncode, done.stderr) == (
        2,
        "Error: gone: no such folder or table; name a folder of labelled images, or a CSV file "
        "with the columns path and label\n",
    )
