from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import imgcls
from imgcls.core.errors import UsageError
from imgcls.core.models.head import Head
from imgcls.core.tasks.heatmap.explanation import Explanation, Unexplained

# Drawn by hand around the cat's face, the cup, and the rocket with the cells of the map beside
# it: (left, top, right, bottom) in pixels, a fifth to three tenths of the picture.
BOXES = {
    "cat": (125, 75, 325, 270),
    "coffee": (170, 15, 410, 285),
    "rocket": (225, 110, 420, 427),
}


@pytest.fixture(scope="module")
def model() -> imgcls.Model:
    return imgcls.load_model()


def one(path: Any, model: imgcls.Model, **options: Any) -> Explanation:
    (explanation,) = imgcls.explain(path, model, **options)
    assert isinstance(explanation, Explanation)
    return explanation


@pytest.mark.parametrize(
    "method", ["gradcam", "layercam", pytest.param("scorecam", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("photo", BOXES)
def test_most_of_the_map_lies_on_the_thing(
    photo: str, method: str, samples: Path, model: imgcls.Model
) -> None:
    cam = one(samples / f"{photo}.jpg", model, method=method).cam
    left, top, right, bottom = BOXES[photo]
    assert (right - left) * (bottom - top) < 0.3 * cam.size
    assert cam[top:bottom, left:right].sum() > 0.5 * cam.sum()


def test_explains_what_predict_says(samples: Path, model: imgcls.Model) -> None:
    for name in ("cat", "flower"):
        path = str(samples / f"{name}.jpg")
        (record,) = imgcls.classify(path, model, top=3)
        for rank, said in enumerate(record.predictions, start=1):
            prediction = one(path, model, rank=rank).prediction
            assert (prediction.rank, prediction.label) == (rank, said.label)
            assert prediction.score == pytest.approx(said.score, rel=1e-5)
        assert one(path, model).prediction == one(path, model, rank=1).prediction


def test_a_class_is_explained_though_it_is_not_the_best(samples: Path, model: imgcls.Model) -> None:
    by_label = one(samples / "cat.jpg", model, class_name="Egyptian cat")
    by_number = one(samples / "cat.jpg", model, class_name=285)
    assert by_label.prediction == by_number.prediction
    assert (by_label.prediction.rank, by_label.prediction.class_id) == (2, "n02124075")
    np.testing.assert_array_equal(by_label.cam, by_number.cam)
    assert not np.array_equal(by_label.cam, one(samples / "cat.jpg", model).cam)


def test_versus_is_what_speaks_for_the_one_and_not_the_other(
    samples: Path, model: imgcls.Model
) -> None:
    path = samples / "cat.jpg"
    against = one(path, model, class_name="tiger_cat", versus="Egyptian_cat")
    turned = one(path, model, class_name="Egyptian_cat", versus="tiger_cat")
    assert against.versus == turned.prediction
    # Before negative evidence is dropped the two are each other's opposite.
    assert turned.cam.ravel()[against.cam.argmax()] < 0.1
    assert against.cam.ravel()[turned.cam.argmax()] < 0.1


def test_outside_the_crop_the_map_is_zero(samples: Path, model: imgcls.Model) -> None:
    explanation = one(samples / "coffee.jpg", model)
    assert explanation.image.shape == (400, 600, 3)
    assert explanation.cam.shape == (400, 600)
    seen = np.zeros((400, 600), bool)
    seen[25:375, 125:475] = True  # 224/256 of the shorter side
    assert not explanation.cam[~seen].any()
    assert (explanation.cam[seen] > 0).mean() > 0.9


@pytest.mark.parametrize("resize", ["squash", "pad"])
def test_the_whole_image_is_covered_if_the_model_saw_it(
    resize: Any, samples: Path, model: imgcls.Model
) -> None:
    cam = one(samples / "coffee.jpg", model, resize=resize, method="activation").cam
    assert (cam > 0).all()


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_the_map_lies_on_the_upright_image(
    orientation: int, samples: Path, tmp_path: Path, model: imgcls.Model
) -> None:
    turns = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}
    turns[8] = Image.Transpose.ROTATE_270
    with Image.open(samples / "coffee.jpg") as image:
        upright = image.convert("RGB")
    upright.save(tmp_path / "upright.png")
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright.transpose(turns[orientation]).save(tmp_path / "turned.png", exif=exif)
    expected, turned = (one(tmp_path / f"{n}.png", model) for n in ("upright", "turned"))
    np.testing.assert_array_equal(turned.image, expected.image)
    np.testing.assert_allclose(turned.cam, expected.cam, atol=1e-5)


@pytest.mark.parametrize("side", [(1, 1), (3, 500), (224, 224)])
def test_any_size_gives_a_map_of_that_size(
    side: tuple[int, int], tmp_path: Path, model: imgcls.Model
) -> None:
    Image.new("RGB", side, "red").save(tmp_path / "red.png")
    cam = one(tmp_path / "red.png", model).cam
    assert cam.shape == side[::-1]
    assert np.isfinite(cam).all() and cam.min() >= 0 and cam.max() <= 1


@pytest.mark.parametrize("method", ["occlusion", "ablationcam", "eigencam", "xgradcam"])
def test_methods_give_maps_from_zero_to_one(
    method: str, samples: Path, model: imgcls.Model
) -> None:
    explanation = one(samples / "coffee.jpg", model, method=method)
    assert explanation.layer == ("input" if method == "occlusion" else "top_activation")
    assert explanation.cam.min() == 0 and 0.9 < explanation.cam.max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("method", ["integrated-gradients", "smoothgrad"])
def test_gradients_of_pixels_lie_on_the_thing(
    method: str, samples: Path, model: imgcls.Model
) -> None:
    cam = one(samples / "coffee.jpg", model, method=method).cam
    left, top, right, bottom = BOXES["coffee"]
    assert cam[top:bottom, left:right].sum() > 0.5 * cam.sum()


def test_the_mean_of_an_early_layer(samples: Path, model: imgcls.Model) -> None:
    explanation = one(samples / "cat.jpg", model, method="activation", layer="stem_activation")
    assert explanation.layer == "stem_activation"
    # It sees edges: much finer than the 49 cells of the last layer.
    fine = np.abs(np.diff(explanation.cam[100:200, 150:300], axis=1)).mean()
    coarse = one(samples / "cat.jpg", model, method="activation").cam[100:200, 150:300]
    assert fine > 3 * np.abs(np.diff(coarse, axis=1)).mean()


def test_faithfulness_is_measured_where_it_is_asked_for(samples: Path, model: imgcls.Model) -> None:
    assert one(samples / "coffee.jpg", model).faithfulness is None
    measured = one(samples / "coffee.jpg", model, faithfulness=True).faithfulness
    assert measured is not None
    assert 0 < measured.deletion < measured.insertion < 1


def test_a_bad_file_is_passed_over(samples: Path, tmp_path: Path, model: imgcls.Model) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"")
    answers = list(imgcls.explain([bad, samples / "cat.jpg"], model))
    assert answers[0] == Unexplained(str(bad), "empty file")
    assert isinstance(answers[1], Explanation)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "cam"}, "cam: no such method; choose one of gradcam, gradcam++"),
        ({"class_name": "1", "rank": 2}, "`class_name` and `rank` both say what to explain"),
        ({"rank": 0}, "rank 0: the best class has rank 1"),
        ({"rank": 1001}, "rank 1001: efficientnet-lite0 has 1000 classes"),
        ({"class_name": "tabby", "versus": 281}, "281: a class cannot be held against itself"),
        ({"method": "eigencam", "versus": "tabby"}, "eigencam knows no classes"),
        ({"method": "occlusion", "layer": "top_conv"}, "occlusion looks at pixels"),
        ({"layer": "top_conf"}, "top_conf: no such layer; did you mean top_conv or "),
        ({"layer": "avg_pool"}, "avg_pool: has no height and width; did you mean "),
        ({"class_name": "tigre"}, "tigre: no such class; did you mean"),
        ({"versus": "tigre"}, "tigre: no such class; did you mean"),
    ],
)
def test_what_does_not_go_together_is_refused(
    options: Any, message: str, samples: Path, model: imgcls.Model
) -> None:
    with pytest.raises(UsageError, match=message.replace("+", r"\+")):
        list(imgcls.explain(samples / "cat.jpg", model, **options))


def test_whatever_one_image_raises_is_its_own_answer(
    samples: Path, tmp_path: Path, model: imgcls.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    from imgcls.core.tasks.heatmap import explain

    read = explain.load_with_original

    def stumble(source: Any, preprocessing: Any) -> Any:
        if source.name.endswith("odd.jpg"):
            raise KeyError("odd")
        return read(source, preprocessing)

    monkeypatch.setattr(explain, "load_with_original", stumble)
    odd, cat = imgcls.explain([tmp_path / "odd.jpg", samples / "cat.jpg"], model)
    assert odd == Unexplained(str(tmp_path / "odd.jpg"), "it cannot be used (KeyError: 'odd')")
    assert isinstance(cat, Explanation)


def test_scores_that_are_no_numbers_are_an_error_of_the_image(
    samples: Path, model: imgcls.Model
) -> None:
    kernel = np.full((1280, 2), np.nan, np.float32)
    head = Head(((kernel, np.zeros(2, np.float32)),))
    damaged = replace(model, head=head, labels=model.labels[:2])
    (answer,) = imgcls.explain(samples / "cat.jpg", damaged)
    (record,) = imgcls.classify(samples / "cat.jpg", damaged)
    assert answer.error == record.error
    assert str(record.error) == "the model's scores for it are no numbers; its weights are damaged"
