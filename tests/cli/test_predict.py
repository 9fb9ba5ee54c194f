"""`imgcls predict` as a process of its own: what it prints, to the letter, and its exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.conftest import Imgcls

SUMMARY = r"{} images? in \d+\.\d s \([\d.]+ images/s\)\n"

TEXT = """\
cat.jpg
  tiger_cat      37.45%  n02123159
  Egyptian_cat   36.38%  n02124075
"""


@pytest.fixture(autouse=True, scope="module")
def compiled(cache: Path) -> None:
    """Compile the default model before a test looks at what a later run says."""
    from imgcls import load_model

    load_model(threads=1)


@pytest.fixture
def work(tmp_path: Path, samples: Path) -> Path:
    """Return the folder that the program runs in, with two photos in it."""
    for name in ("cat.jpg", "coffee.jpg"):
        shutil.copy(samples / name, tmp_path)
    return tmp_path


def said(stderr: str, images: int, failed: int = 0) -> bool:
    """Whether standard error is the closing line alone."""
    line = SUMMARY.format(images)
    if failed:
        line = line.replace(r"\n", f", {failed} failed\\n")
    return re.fullmatch(line, stderr) is not None


def rows(stdout: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stdout.splitlines()]


def test_text(work: Path, imgcls: Imgcls) -> None:
    done = imgcls("predict", "cat.jpg", "--top", "2")
    assert (done.returncode, done.stdout, done.stderr) == (0, TEXT, "")


def test_top_is_5(work: Path, imgcls: Imgcls) -> None:
    labels = [line.split()[0] for line in imgcls("predict", "cat.jpg").stdout.splitlines()]
    assert labels == ["cat.jpg", "tiger_cat", "Egyptian_cat", "tabby", "lynx", "window_screen"]


def test_top_1_is_a_line_an_image(work: Path, imgcls: Imgcls) -> None:
    done = imgcls("predict", "cat.jpg", "coffee.jpg", "-k", "1")
    assert done.stdout == "cat.jpg: tiger_cat (37.45%)\ncoffee.jpg: espresso (95.36%)\n"
    assert done.returncode == 0
    assert said(done.stderr, 2)


def test_top_0_is_every_class(work: Path, imgcls: Imgcls) -> None:
    done = imgcls("predict", "cat.jpg", "--top", "0", "--format", "jsonl")
    predictions = json.loads(done.stdout)["predictions"]
    assert [row["rank"] for row in predictions] == list(range(1, 1001))
    scores = [row["score"] for row in predictions]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1, abs=1e-5)
    assert len({row["class_id"] for row in predictions}) == 1000
    text = imgcls("predict", "cat.jpg", "--top", "0").stdout
    assert len(text.splitlines()) == 1001
    assert text.startswith("cat.jpg\n  tiger_cat  ")


CAT_JSON = (
    '{"path": "cat.jpg", "status": "ok", "model": "efficientnet-lite0", "width": 451, '
    '"height": 300, "predictions": [{"rank": 1, "class_id": "n02123159", "label": "tiger_cat", '
    '"score": SCORE}], "error": null}'
)


def without_scores(text: str) -> str:
    """Put SCORE for each score, after checking that it has at most six digits."""
    return re.sub(r'(?<="score": )0\.\d{4,6}(?=})', "SCORE", text)


def test_jsonl(work: Path, imgcls: Imgcls) -> None:
    done = imgcls("predict", "cat.jpg", "-k", "1", "-f", "jsonl")
    assert without_scores(done.stdout) == CAT_JSON + "\n"
    assert json.loads(done.stdout)["predictions"][0]["score"] == pytest.approx(0.374538, abs=1e-5)


def test_json_is_one_array(work: Path, imgcls: Imgcls) -> None:
    done = imgcls("predict", "cat.jpg", "cat.jpg", "-k", "1", "-f", "json")
    assert without_scores(done.stdout) == f"[\n{CAT_JSON},\n{CAT_JSON}\n]\n"
    assert len(json.loads(done.stdout)) == 2


def test_csv(work: Path, imgcls: Imgcls) -> None:
    (work / "bad.jpg").write_bytes(b"")
    done = imgcls("predict", "cat.jpg", "bad.jpg", "-k", "2", "-f", "csv")
    header, first, second, failed = csv.reader(io.StringIO(done.stdout))
    assert header == ["path", "status", "rank", "class_id", "label", "score", "error"]
    assert first[:5] + first[6:] == ["cat.jpg", "ok", "1", "n02123159", "tiger_cat", ""]
    assert second[:5] + second[6:] == ["cat.jpg", "ok", "2", "n02124075", "Egyptian_cat", ""]
    assert float(first[5]) == pytest.approx(0.374538, abs=1e-5)
    assert failed == ["bad.jpg", "error", "", "", "", "", "empty file"]
    assert "\r" not in done.stdout


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("out.txt", "cat.jpg\n  tiger_cat"),
        ("out.json", '[\n{"path": "cat.jpg"'),
        ("out.jsonl", '{"path": "cat.jpg"'),
        ("out.ndjson", '{"path": "cat.jpg"'),
        ("OUT.CSV", "path,status,rank"),
        ("out", "cat.jpg\n  tiger_cat"),
    ],
)
def test_output_file_is_of_the_format_of_its_ending(
    work: Path, imgcls: Imgcls, name: str, start: str
) -> None:
    done = imgcls("predict", "cat.jpg", "-o", name)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (work / name).read_text().startswith(start)
    assert not (work / f"{name}.part").exists()
    # An earlier output of its own is overwritten.
    assert imgcls("predict", "cat.jpg", "-o", name).returncode == 0
    printed = imgcls("predict", "cat.jpg", "-f", _format(start)).stdout
    assert (work / name).read_text() == printed


def _format(start: str) -> str:
    return {"c": "text", "[": "json", "{": "jsonl", "p": "csv"}[start[0]]


def test_format_goes_before_the_ending(work: Path, imgcls: Imgcls) -> None:
    imgcls("predict", "cat.jpg", "-o", "out.txt", "-f", "csv")
    assert (work / "out.txt").read_text().startswith("path,status,rank")


@pytest.mark.parametrize("name", ["coffee.jpg", "notes.txt", "table.csv", "other.json"])
def test_output_never_overwrites_what_is_not_its_own(work: Path, imgcls: Imgcls, name: str) -> None:
    (work / "notes.txt").write_text("Dear diary\n")
    (work / "table.csv").write_text("path,score\n")
    (work / "other.json").write_text('{"a": 1}\n')
    before = (work / name).read_bytes()
    done = imgcls("predict", "cat.jpg", "-o", name)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Error: {name}: exists and is not an earlier output of this kind; name another file\n"
    )
    assert (work / name).read_bytes() == before


def test_output_in_a_folder_that_is_not_there(work: Path, imgcls: Imgcls) -> None:
    done = imgcls("predict", "cat.jpg", "-o", "absent/out.csv")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: absent: no such folder; make it first\n"


def test_output_that_is_a_folder(work: Path, imgcls: Imgcls) -> None:
    (work / "folder").mkdir()
    done = imgcls("predict", "cat.jpg", "-o", "folder")
    assert (done.returncode, done.stderr) == (1, "Error: folder: is a folder; name a file\n")


@pytest.mark.posix
def test_output_through_a_link_keeps_the_link(work: Path, imgcls: Imgcls) -> None:
    (work / "out.csv").symlink_to("real.csv")
    assert imgcls("predict", "cat.jpg", "-o", "out.csv").returncode == 0
    assert (work / "out.csv").is_symlink()
    assert (work / "real.csv").read_text().startswith("path,status")


@pytest.mark.parametrize("arguments", [[], ["-o", "/dev/full"]])
@pytest.mark.linux
def test_full_disk(work: Path, arguments: list[str], imgcls: Imgcls) -> None:
    with open("/dev/full", "wb") as full:
        done = imgcls("predict", "cat.jpg", *arguments, stdout=None if arguments else full)
    what = "/dev/full" if arguments else "standard output"
    assert done.stderr == f"Error: {what}: cannot be written: No space left on device\n"
    assert done.returncode == 1


def test_labels_in_chinese(samples: Path, imgcls: Imgcls) -> None:
    done = imgcls("predict", str(samples / "coffee.jpg"), "-k", "2", "--labels", "zh")
    assert done.stdout.splitlines()[1:] == [
        "  意式浓缩咖啡   95.36%  n07920052",
        "  杯子            1.38%  n07930864",
    ]


def test_image_on_stdin(samples: Path, imgcls: Imgcls) -> None:
    done = imgcls("predict", "-", "-k", "1", stdin=(samples / "cat.jpg").read_bytes())
    assert (done.returncode, done.stdout, done.stderr) == (0, "-: tiger_cat (37.45%)\n", "")


def test_nothing_on_stdin(imgcls: Imgcls) -> None:
    done = imgcls("predict", "-")
    assert (done.returncode, done.stdout) == (1, "-: error: empty file\n")
    assert done.stderr == "Error: no image could be read (1 failed)\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\0"])
def test_files_from(work: Path, imgcls: Imgcls, end: str) -> None:
    names = f"coffee.jpg{end}cat.jpg{end}".encode()
    (work / "list").write_bytes(names)
    null = ["--null"] if end == "\0" else []
    expected = "coffee.jpg: espresso (95.36%)\ncat.jpg: tiger_cat (37.45%)\n"
    done = imgcls("predict", "--files-from", "list", *null, "-k1")
    assert (done.returncode, done.stdout) == (0, expected)
    done = imgcls("predict", "--files-from", "-", *null, "-k1", stdin=names)
    assert (done.returncode, done.stdout) == (0, expected)


def test_files_from_comes_after_the_inputs(work: Path, imgcls: Imgcls) -> None:
    (work / "list").write_text("cat.jpg\n")
    done = imgcls("predict", "coffee.jpg", "--files-from", "list", "-f", "jsonl")
    assert [row["path"] for row in rows(done.stdout)] == ["coffee.jpg", "cat.jpg"]


def test_list_that_is_not_there(imgcls: Imgcls) -> None:
    done = imgcls("predict", "--files-from", "absent")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: absent: the list cannot be read: No such file or directory\n"


def test_glob(work: Path, imgcls: Imgcls) -> None:
    done = imgcls("predict", "c*.jpg", "-k1")
    assert done.stdout == "cat.jpg: tiger_cat (37.45%)\ncoffee.jpg: espresso (95.36%)\n"
    done = imgcls("predict", "*.webp", "-k1")
    assert (done.returncode, done.stdout) == (1, "*.webp: error: no file matches\n")


def test_folder_with_a_text_file_in_it(work: Path, imgcls: Imgcls) -> None:
    (work / "notes.txt").write_text("Dear diary")
    (work / ".hidden.jpg").write_bytes(b"")
    (work / "sub").mkdir()
    (work / "coffee.jpg").rename(work / "sub/espresso")
    done = imgcls("predict", ".", "-k1")
    assert done.returncode == 0
    assert done.stdout == "./cat.jpg: tiger_cat (37.45%)\n./sub/espresso: espresso (95.36%)\n"
    assert said(done.stderr, 2)


def test_empty_folder(tmp_path: Path, imgcls: Imgcls) -> None:
    (tmp_path / "empty").mkdir()
    done = imgcls("predict", "empty")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: empty: no image found\n"


def test_missing_file_alone(imgcls: Imgcls) -> None:
    done = imgcls("predict", "absent.jpg")
    assert (done.returncode, done.stdout) == (1, "absent.jpg: error: no such file\n")
    assert done.stderr == "Error: no image could be read (1 failed)\n"


@pytest.mark.parametrize("how", [(), ("-o", "out.json"), ("--precision", "int8")])
def test_nothing_is_fetched_or_compiled_for_no_photo(
    tmp_path: Path, imgcls: Imgcls, how: tuple[str, ...]
) -> None:
    """Weights that are not here, and which may not be fetched, would be an error."""
    done = imgcls("predict", "a.jpg", "b*.jpg", "-f", "json", "-m", "resnet50", *how)
    assert (done.returncode, done.stderr) == (1, "Error: no image could be read (2 failed)\n")
    written = (tmp_path / "out.json").read_text() if "-o" in how else done.stdout
    assert [(row["path"], row["model"], row["error"]) for row in json.loads(written)] == [
        ("a.jpg", "resnet50", "no such file"),
        ("b*.jpg", "resnet50", "no file matches"),
    ]


def test_of_no_photo_the_model_is_checked_all_the_same(imgcls: Imgcls) -> None:
    done = imgcls("predict", "absent.jpg", "-m", "resnet-50000")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: resnet-50000: no such model; did you mean ")


def test_failed_inputs_have_their_place_in_the_order(work: Path, imgcls: Imgcls) -> None:
    cat = (work / "cat.jpg").read_bytes()
    (work / "broken.jpg").write_bytes(cat[: len(cat) // 2])
    (work / "notes.jpg").write_text("Dear diary")
    inputs = ["cat.jpg", "broken.jpg", "absent.jpg", "coffee.jpg", "notes.jpg"]
    done = imgcls("predict", *inputs, "-k1")
    assert done.returncode == 3
    assert done.stdout == (
        "cat.jpg: tiger_cat (37.45%)\n"
        "broken.jpg: error: truncated JPEG\n"
        "absent.jpg: error: no such file\n"
        "coffee.jpg: espresso (95.36%)\n"
        "notes.jpg: error: not an image, or of a format that is not read\n"
    )
    assert said(done.stderr, 5, failed=3)
    done = imgcls("predict", *inputs, "-f", "jsonl")
    assert [row["path"] for row in rows(done.stdout)] == inputs
    assert rows(done.stdout)[1] == {
        "path": "broken.jpg",
        "status": "error",
        "model": "efficientnet-lite0",
        "width": None,
        "height": None,
        "predictions": [],
        "error": "truncated JPEG",
    }
    done = imgcls("predict", *inputs, "-f", "json", "-o", "out.json")
    assert done.returncode == 3
    written = json.loads((work / "out.json").read_text())
    assert [row["status"] for row in written] == ["ok", "error", "error", "ok", "error"]


def test_fail_fast(work: Path, imgcls: Imgcls) -> None:
    done = imgcls("predict", "cat.jpg", "absent.jpg", "coffee.jpg", "-k1", "--fail-fast")
    assert done.returncode == 1
    assert done.stdout == "cat.jpg: tiger_cat (37.45%)\nabsent.jpg: error: no such file\n"
    assert done.stderr == "Error: absent.jpg: no such file; stopped (--fail-fast)\n"


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.json", "out.html"])
def test_fail_fast_leaves_the_earlier_output(work: Path, imgcls: Imgcls, name: str) -> None:
    assert imgcls("predict", "cat.jpg", "-o", name).returncode == 0
    earlier = (work / name).read_bytes()
    inputs = ["coffee.jpg", "absent.jpg", "cat.jpg"]
    done = imgcls("predict", *inputs, "--fail-fast", "-o", name)
    assert (done.returncode, done.stdout) == (1, "")
    error = "Error: absent.jpg: no such file; stopped (--fail-fast)"
    assert done.stderr.splitlines()[-1] == error
    assert (work / name).read_bytes() == earlier
    if name in ("out.jsonl", "out.csv"):
        goes_on = "out has the 2 records that are done; the same command with --resume goes on"
        assert done.stderr.splitlines()[0] == f"Warning: {goes_on.replace('out', f'{name}.part')}"
        assert imgcls("predict", *inputs, "-o", name, "--resume").returncode == 0


OTHERS = ["out.jsonl", "out.csv", "out.json", "out.txt", "out.html"]


@pytest.mark.parametrize("name", OTHERS)
def test_results_of_other_inputs_are_replaced_only_by_force(
    work: Path, imgcls: Imgcls, name: str
) -> None:
    assert imgcls("predict", ".", "-o", name).returncode == 0
    earlier = (work / name).read_bytes()
    done = imgcls("predict", "cat.jpg", "-o", name)
    also = ", --resume adds to it" if name in ("out.jsonl", "out.csv") else ""
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Error: {name}: has results of other inputs (./coffee.jpg); --force replaces it{also}\n"
    )
    assert (work / name).read_bytes() == earlier
    # The same again, or more, is no loss.
    assert imgcls("predict", work, "-o", name).returncode == 0
    done = imgcls("predict", "cat.jpg", "-o", name, "--force")
    assert done.returncode == 0
    assert b"coffee" not in (work / name).read_bytes()


def test_a_list_is_compared_by_its_names(work: Path, imgcls: Imgcls) -> None:
    (work / "list").write_text("cat.jpg\ncoffee.jpg\n")
    arguments = ["predict", "--files-from", "-", "-o", "out.csv"]
    for _ in range(2):
        assert imgcls(*arguments, stdin=b"cat.jpg\ncoffee.jpg\n").returncode == 0
    assert imgcls(*arguments, stdin=b"cat.jpg\n").returncode == 1
    assert imgcls("predict", "--files-from", "list", "-o", "out.csv").returncode == 0


def test_an_interrupted_output_of_other_inputs_is_not_lost(work: Path, imgcls: Imgcls) -> None:
    inputs = ["coffee.jpg", "absent.jpg"]
    assert imgcls("predict", *inputs, "--fail-fast", "-o", "out.csv").returncode == 1
    done = imgcls("predict", "cat.jpg", "-o", "out.csv")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: out.csv.part: has results of other inputs (coffee.jpg);")
    assert imgcls("predict", "cat.jpg", "-o", "out.csv", "--resume").returncode == 0
    labels = [row[4] for row in csv.reader(io.StringIO((work / "out.csv").read_text()))]
    assert {"espresso", "tiger_cat"} <= set(labels)


def test_an_ending_that_is_no_format(work: Path, imgcls: Imgcls) -> None:
    done = imgcls("predict", "cat.jpg", "-o", "out.xlsx")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: out.xlsx: .xlsx is no known format; end it in one of .txt, .json, .jsonl, .csv, "
        ".parquet, .html, or name the format with --format\n"
    )
    assert sorted(path.name for path in work.iterdir()) == ["cat.jpg", "coffee.jpg"]
    assert imgcls("predict", "cat.jpg", "-o", "out.log", "-f", "csv").returncode == 0
    assert (work / "out.log").read_text().startswith("path,status,rank")


def test_min_confidence(work: Path, imgcls: Imgcls) -> None:
    inputs = ["predict", "cat.jpg", "coffee.jpg", "--min-confidence", "0.5"]
    done = imgcls(*inputs, "-k1")
    assert done.returncode == 0
    assert done.stdout == (
        "cat.jpg: unknown (nearest: tiger_cat 37.45%)\ncoffee.jpg: espresso (95.36%)\n"
    )
    done = imgcls(*inputs, "-f", "jsonl")
    assert [row["status"] for row in rows(done.stdout)] == ["unknown", "ok"]
    assert [len(row["predictions"]) for row in rows(done.stdout)] == [5, 5]
    assert imgcls(*inputs).stdout.startswith(
        "cat.jpg: unknown (nearest: tiger_cat 37.45%)\n  tiger_cat"
    )


def test_exif_and_size_are_of_the_upright_image(work: Path, imgcls: Imgcls) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(work / "cat.jpg") as cat:
        turned = cat.transpose(Image.Transpose.ROTATE_90)
        turned.save(work / "turned.png", exif=exif)
    done = imgcls("predict", "turned.png", "-f", "jsonl", "-k1")
    (row,) = rows(done.stdout)
    assert (row["width"], row["height"]) == (451, 300)
    assert row["predictions"][0]["label"] == "tiger_cat"
    assert row["predictions"][0]["score"] == pytest.approx(0.374538, abs=1e-5)


@pytest.mark.parametrize(
    ("resize", "interpolation"),
    [("crop", "nearest"), ("squash", "bilinear"), ("pad", "lanczos")],
)
def test_resize_and_interpolation(
    work: Path, imgcls: Imgcls, resize: str, interpolation: str
) -> None:
    from imgcls import classify

    options = ["--resize", resize, "--interpolation", interpolation]
    done = imgcls("predict", "coffee.jpg", *options, "-f", "jsonl")
    (expected,) = classify(
        work / "coffee.jpg",
        resize=resize,  # type: ignore[arg-type]
        interpolation=interpolation,  # type: ignore[arg-type]
    )
    got = [(row["label"], row["score"]) for row in rows(done.stdout)[0]["predictions"]]
    assert got == [(row.label, pytest.approx(row.score, abs=1e-6)) for row in expected.predictions]
    assert got[0][0] == "espresso"


def test_workers_change_nothing(work: Path, imgcls: Imgcls, samples: Path) -> None:
    (work / "bad.jpg").write_bytes(b"")
    inputs = [*sorted(samples.glob("*.jpg")), "bad.jpg", *sorted(samples.glob("*.jpg"))]
    outputs = {imgcls("predict", *inputs, "--workers", n, "-f", "csv").stdout for n in "123"}
    assert len(outputs) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict"], "no INPUT; name images, folders, globs or URLs, or - for stdin"),
        (["predict", "x", "--null"], "--null goes with --files-from"),
        (
            ["predict", "-", "--files-from", "-"],
            "INPUT - and --files-from - both read stdin; use one of them",
        ),
        (["predict", "x", "--top", "-1"], None),
        (
            ["predict", "x", "--top", "many"],
            "Invalid value for '-k' / '--top': 'many' is not a whole number.",
        ),
        (
            ["predict", "x", "--min-confidence", "high"],
            "Invalid value for '--min-confidence': 'high' is not a number.",
        ),
        (["predict", "x", "-t", "3"], "No such option '-t'; imgcls predict --help lists them"),
        (["predict", "x", "--min-confidence", "2"], None),
        (["predict", "x", "--workers", "0"], None),
        (["predict", "x", "--resize", "zoom"], None),
        (["predict", "x", "--format", "yaml"], None),
        (["predict", "x", "--tpo", "3"], None),
        (
            ["predict", "x", "--force"],
            "--force replaces the file of --output; it does not go with --resume",
        ),
        (
            ["predict", "x", "-o", "x.csv", "--force", "--resume"],
            "--force replaces the file of --output; it does not go with --resume",
        ),
    ],
)
def test_wrong_usage(arguments: list[str], message: str | None, imgcls: Imgcls) -> None:
    done = imgcls(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    if message:
        assert done.stderr == f"Error: {message}\n"


def test_unknown_option_names_a_near_one(imgcls: Imgcls) -> None:
    assert "--top" in imgcls("predict", "x", "--tpo", "3").stderr


def test_unknown_model_names_near_ones(work: Path, imgcls: Imgcls) -> None:
    done = imgcls("predict", "cat.jpg", "-m", "ResNet_50")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ResNet_50: no such model; did you mean resnet50 or ")
    (work / "mine.safetensors").touch()
    for name, message in (
        ("mine", "no such model; did you mean the file mine.safetensors?"),
        ("mine.tflite", "no such model file"),
        ("models/mine", "no such model file"),
        ("../", "is a folder, and no model"),
    ):
        done = imgcls("predict", "cat.jpg", "-m", name)
        assert (done.returncode, done.stderr) == (1, f"Error: {name}: {message}\n")
    done = imgcls("predict", "cat.jpg", env={"IMGCLS_MODEL": "qqqq"})
    assert done.returncode == 1
    assert done.stderr.startswith("Error: qqqq: no such model; there are efficientnet-lite0, ")


def test_weights_that_are_not_here(work: Path, imgcls: Imgcls) -> None:
    done = imgcls("predict", "cat.jpg", "-m", "vgg16")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("Error: vgg16: ")
    assert "vgg16_weights_tf_dim_ordering_tf_kernels.h5" in done.stderr
    assert "--weights" in done.stderr


def test_weights_file_that_is_not_there(work: Path, imgcls: Imgcls) -> None:
    done = imgcls("predict", "cat.jpg", "-m", "vgg16", "--weights", "absent.h5")
    assert done.returncode == 1
    assert done.stderr == "Error: absent.h5: no such weights file\n"


def test_offline_forbids_urls(imgcls: Imgcls) -> None:
    done = imgcls(
        *("--offline", "predict", "http://127.0.0.1:9/cat.jpg", "-k1"), env={"IMGCLS_OFFLINE": ""}
    )
    assert done.returncode == 1
    assert done.stdout == (
        "http://127.0.0.1:9/cat.jpg: error: "
        "not fetched: the network is forbidden (IMGCLS_OFFLINE)\n"
    )


def test_quiet(work: Path, imgcls: Imgcls) -> None:
    done = imgcls("-q", "predict", "cat.jpg", "absent.jpg", "-k1")
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout == "cat.jpg: tiger_cat (37.45%)\nabsent.jpg: error: no such file\n"


@pytest.mark.linux
@pytest.mark.parametrize("name", ["text", "html", "csv"])
def test_no_temporary_folder_is_needed(work: Path, name: str) -> None:
    program = (
        "import tempfile; tempfile.tempdir = '/nonexistent'; "
        "from imgcls.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "predict", "cat.jpg", "-f", name],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "tiger_cat" in done.stdout


ODD_NAMES = [b"new\nline.jpg", b"\x1b[31mred.jpg", b"caf\xe9.jpg", b"\x9b31m.jpg", b"=1+1.jpg"]


@pytest.fixture
def odd(tmp_path: Path, samples: Path) -> Path:
    for name in ODD_NAMES:
        shutil.copy(samples / "cat.jpg", os.fsencode(tmp_path) + b"/" + name)
    return tmp_path


@pytest.mark.linux
def test_odd_names_in_text(odd: Path, imgcls: Imgcls) -> None:
    done = imgcls("predict", *map(os.fsdecode, ODD_NAMES), "-k1")
    assert done.returncode == 0
    assert done.stdout.encode("utf-8", "surrogateescape").splitlines() == [
        rb"new\x0aline.jpg: tiger_cat (37.45%)",
        rb"\x1b[31mred.jpg: tiger_cat (37.45%)",
        b"caf\xe9.jpg: tiger_cat (37.45%)",
        rb"\x9b31m.jpg: tiger_cat (37.45%)",
        b"=1+1.jpg: tiger_cat (37.45%)",
    ]


@pytest.mark.linux
def test_odd_names_round_trip_in_json(odd: Path, imgcls: Imgcls) -> None:
    done = imgcls("predict", ".", "-k1", "-f", "jsonl")
    assert sorted(os.fsencode(row["path"]) for row in rows(done.stdout)) == sorted(
        b"./" + name for name in ODD_NAMES
    )
    assert '"path": "./caf\\udce9.jpg"' in done.stdout
    assert done.stdout.isascii()


@pytest.mark.linux
def test_odd_names_in_csv(odd: Path, imgcls: Imgcls) -> None:
    done = imgcls("predict", *map(os.fsdecode, ODD_NAMES), "-k1", "-f", "csv")
    _, *read = csv.reader(io.StringIO(done.stdout, newline=""))
    names = [row[0].encode("utf-8", "surrogateescape") for row in read]
    assert names == [*ODD_NAMES[:-1], b"'=1+1.jpg"]


@pytest.mark.posix
def test_control_characters_never_reach_a_terminal(odd: Path, imgcls: Imgcls) -> None:
    import pty

    ours, theirs = pty.openpty()
    with open(ours, "rb", buffering=0) as terminal:
        done = imgcls("predict", "\x1b[31mred.jpg", "-k1", "-f", "csv", stdout=theirs)
        os.close(theirs)
        shown = terminal.read(1000)
    assert done.returncode == 0
    assert shown.splitlines()[1].startswith(rb"\x1b[31mred.jpg,ok,1,n02123159,tiger_cat,")


def test_inputs_are_never_changed(work: Path, imgcls: Imgcls) -> None:
    facts = [(work / name).stat() for name in ("cat.jpg", "coffee.jpg")]
    imgcls("predict", ".", "-o", "out.jsonl")
    for before, name in zip(facts, ("cat.jpg", "coffee.jpg"), strict=True):
        after = (work / name).stat()
        assert (after.st_mtime_ns, after.st_size) == (before.st_mtime_ns, before.st_size)
    # What --resume goes by is hidden.
    assert sorted(path.name for path in work.glob("[!.]*")) == [
        *("cat.jpg", "coffee.jpg", "out.jsonl"),
    ]
