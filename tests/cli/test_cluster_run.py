"""What is refused of a cluster's output, and what its job says; runs are in test_clustering."""

from __future__ import annotations

import pytest

from imgcls.cli.cluster_run import Parts, features_job, named, predict_job
from imgcls.cli.main import run
from imgcls.core.engines.model import load_model
from imgcls.core.tasks.classify.options import ClassifyOptions
from imgcls.core.tasks.cluster.options import ClusterOptions
from imgcls.core.tasks.features.features import FeatureOptions


def error_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(["predict", *arguments])
    return code, capsys.readouterr().err.removeprefix("Error: ").strip()


def test_a_cluster_run_wants_a_folder_and_a_format_that_has_parts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("ray")
    local = ("in", "--cluster", "local")
    said = "--cluster writes a folder of parts; name it with --output"
    assert error_of(capsys, *local) == (2, said)
    said = "--cluster writes parquet or jsonl; leave out --format csv"
    assert error_of(capsys, *local, "-o", "out", "-f", "csv") == (2, said)


def test_a_jobs_inputs_are_what_was_named() -> None:
    assert named(("a", "b"), None) == ("a", "b")
    assert named((), "list.txt") == ("list.txt",)


@pytest.mark.usefixtures("compiled_default")
def test_a_worker_works_on_one_image_at_a_time() -> None:
    """A node runs as many workers as it has cores; each with all cores would choke it."""
    parts = Parts(ClusterOptions("local"), "out", "jsonl", force=False)
    model = load_model(threads=1)
    predict = predict_job(("in",), model, ClassifyOptions(), parts)
    features = features_job(("in",), model, FeatureOptions())
    for job in (predict, features):
        assert job.work.make.keywords["options"].workers == 1  # type: ignore[attr-defined]
    assert (predict.ending, features.ending) == (".jsonl", ".parquet")
    assert (predict.options["top"], features.options["columns"]) == (5, 1280)
