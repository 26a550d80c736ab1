"""Every way to upload, and what becomes of it."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import fiftyone as fo
import numpy as np
import pandas as pd
import pytest
from fiftyone.operators.store import ExecutionStore
from PIL import Image
from sklearn import metrics as sk

import evalsets as es
from evalsets.api import comparing, evaluate, upload
from evalsets.datasets import locks, predictions
from evalsets.datasets.locks import KEY, STORE
from evalsets.datasets.matches import load_matches
from evalsets.datasets.predictions import prediction_set, uploading
from evalsets.errors import (
    ArgumentError,
    LockedError,
    NameTakenError,
    PredictionsError,
    UnknownNameError,
)
from evalsets.predictions import sources

pytestmark = pytest.mark.db
N = 24
BOX = {"label": "a", "bounding_box": [0.1, 0.1, 0.5, 0.5], "score": 0.5}


@pytest.fixture
def made(dataset):
    """Samples without images; odd ones are on the left."""
    dataset.add_samples(
        [
            fo.Sample(
                f"/images/{at}.jpg",
                left=at % 2 == 1,
                metadata=fo.ImageMetadata(width=8, height=6),
            )
            for at in range(N)
        ]
    )
    return dataset


def value(report, metric, population="(all)"):
    rows = report.frame.query("population == @population and metric == @metric")
    assert len(rows) == 1, report.frame
    return rows.iloc[0]["value"]


def test_relative_boxes_need_no_size_in_pixels(drawn):
    drawn.clear_sample_field("metadata")
    box = {"label": "person", "confidence": 0.9}
    paths = drawn.values("filepath")
    relative = {path: [{**box, "bounding_box": [0.1, 0.1, 0.5, 0.5]}] for path in paths}
    assert es.upload_predictions(drawn, "relative", relative).matched == len(drawn)
    pixels = {path: [{**box, "bbox": [10, 10, 50, 50]}] for path in paths}
    with pytest.raises(ArgumentError, match="compute their metadata"):
        es.upload_predictions(drawn, "pixels", pixels)


def test_keys_may_be_ids_paths_names_or_a_field(made):
    made.set_values("number", [f"n{at}" for at in range(N)])
    paths = made.values("filepath")
    keys = {
        "ids": made.values("id"),
        "paths": paths,
        "names": [path.rpartition("/")[2] for path in paths],
    }
    for name, known in keys.items():
        labels = dict(zip(known, map(str, range(N)), strict=True))
        assert es.upload_predictions(made, name, labels).matched == N
        field = es.models(made)[name].field
        assert made.values(f"{field}.label") == list(map(str, range(N)))
    numbers = {f"n{at}": "x" for at in range(N)}
    assert es.upload_predictions(made, "n", numbers, key="number").matched == N
    with pytest.raises(PredictionsError, match="name as the key the field"):
        es.upload_predictions(made, "wrong", numbers)


def test_unknown_keys_are_refused_or_skipped_and_counted(made):
    labels = {f"/images/{at}.jpg": "x" for at in range(5, N + 2)}
    with pytest.raises(PredictionsError, match="2 of 21 keys belong to no sample"):
        es.upload_predictions(made, "m", labels)
    report = es.upload_predictions(made, "m", labels, skip_unknown=True)
    assert (report.matched, report.missing, report.unknown) == (19, 5, 2)
    assert report.unknown_examples == ("/images/24.jpg", "/images/25.jpg")
    assert "2 keys belong to no sample and were left out" in str(report)


def test_arrays_have_one_row_a_sample(made):
    shares = np.random.default_rng(0).dirichlet([1, 1, 1], N)
    es.upload_predictions(made, "soft", shares, classes=["a", "b", "c"])
    field = es.models(made)["soft"].field
    assert made.values(f"{field}.label") == [list("abc")[i] for i in shares.argmax(1)]
    es.upload_predictions(made, "hard", np.array(["a"] * N))
    for bad, said in (
        (np.array(["a"] * 3), "3 values have no keys"),
        (shares, "name them as classes"),
    ):
        with pytest.raises(ArgumentError, match=said):
            es.upload_predictions(made, "bad", bad)


@pytest.mark.parametrize(
    ("values", "task", "held"),
    [
        ([("a", 0.5)] * N, "classification", "a"),
        ([["a"], ["a", "b"], []] * (N // 3), "multilabel", ["a", "b"]),
        ([["a"]] * N, "multilabel", ["a"]),
        ([[BOX], [BOX, BOX], []] * (N // 3), "detection", ["a", "a"]),
        ([fo.Classification(label="a", confidence=0.5)] * N, "classification", "a"),
    ],
)
def test_lists_have_one_prediction_a_sample_in_any_form(made, values, task, held):
    report = es.upload_predictions(made, "net", values, task=task)
    assert (report.task, report.matched) == (task, N)
    inside = {"multilabel": "classifications.label", "detection": "detections.label"}
    stored = made.values(f"{report.field}.{inside.get(task, 'label')}")
    assert stored[1] == held


@pytest.mark.parametrize("odd", [[1.0], None, 3, [0.5, "x"]])
def test_lists_of_numbers_have_one_a_class(made, odd):
    rows = [[0.1, 0.9], odd] * (N // 2)
    with pytest.raises(ArgumentError, match="a row of 2 numbers and another has"):
        es.upload_predictions(made, "net", rows, classes=["a", "b"])
    with pytest.raises(ArgumentError, match="2 columns; name them as classes"):
        es.upload_predictions(made, "net", [[0.1, 0.9]] * N)


@pytest.mark.parametrize("form", [list, pd.Series, np.array])
def test_rows_of_probabilities_have_one_form_in_any_container(made, form):
    es.upload_predictions(made, "net", form([[0.1, 0.9]] * N), classes=["a", "b"])
    assert made.count_values("pred_net.label") == {"b": N}


def test_a_column_of_confidences_without_any_is_told(made, caplog):
    table = pd.DataFrame({"filepath": made.values("filepath"), "label": "a"})
    es.upload_predictions(made, "net", table)
    assert "confidence" not in caplog.text
    report = es.upload_predictions(made, "blank", table.assign(confidence=None))
    said = "the column 'confidence' is empty, so that they have no confidences"
    assert said in str(report)
    assert said in caplog.text


def test_a_label_field_is_taken_where_it_is(made):
    labels = [fo.Classification(label="a" if at % 3 else "b") for at in range(N)]
    made.set_values("mine", [None, *labels[1:]])
    made.set_values("ground_truth", [fo.Classification(label="a")] * N)
    report = es.upload_predictions(made, "m", "mine")
    assert (report.field, report.matched, report.missing) == ("mine", N - 1, 1)
    assert value(es.evaluate(made, "m", split=None), "accuracy") == 16 / N
    es.upload_predictions(made, "m", ["a"] * N, overwrite=True)
    assert made.has_sample_field("mine")
    made.set_values("bad", [fo.Classification(label="a", confidence=2)] * N)
    with pytest.raises(PredictionsError, match=r"outside \[0, 1\]"):
        es.upload_predictions(made, "bad", "bad")


@pytest.mark.parametrize(
    "field", ["left", "id", "filepath", "said", "tags", "metadata"]
)
def test_a_field_without_labels_is_refused_before_it_is_stored(made, field):
    """Of plain texts nothing could be evaluated later."""
    made.set_values("said", ["a"] * N)
    with pytest.raises(ArgumentError, match=f"Field '{field}' holds no labels"):
        es.upload_predictions(made, "m", field)
    with pytest.raises(UnknownNameError, match="there is none yet"):
        es.upload_predictions(made, "m", "nowhere")
    assert es.models(made) == {}


def test_a_file_that_changes_while_it_is_read_is_refused(made, tmp_path, monkeypatch):
    table = pd.DataFrame({"id": made.values("id"), "label": "a"})
    path = tmp_path / "predictions.csv"
    table.to_csv(path, index=False)
    begin = upload.uploading

    def shorten(*args, **options):
        table.head(3).to_csv(path, index=False)
        return begin(*args, **options)

    monkeypatch.setattr(upload, "uploading", shorten)
    with pytest.raises(PredictionsError, match="changed while they were read"):
        es.upload_predictions(made, "m", path, key="id")
    assert es.models(made) == {}
    assert not any(field.startswith("pred_") for field in made.get_field_schema())


@pytest.mark.parametrize("anew", ["predictions", "scores"])
def test_an_empty_list_says_that_a_model_was_trained_on_no_sample(made, anew):
    made.set_values("ground_truth", [fo.Classification(label="a")] * N)
    es.upload_predictions(made, "m", ["a"] * N, trained_on=made.values("id")[:3])
    assert es.evaluate(made, "m", split=None).provenance["trained_on"] == 3
    if anew == "predictions":
        es.upload_predictions(made, "m", ["a"] * N, overwrite=True, trained_on=[])
    else:
        es.upload_scores(made, "m", [0.5] * N, trained_on=[])
    assert es.evaluate(made, "m", split=None).provenance["trained_on"] == 0


def test_the_release_a_model_was_trained_on_may_be_named(made):
    es.compose(made, es.Population("left", "left", holdout=0.5))
    es.split(made, val=0)
    made.reload()
    es.release(made)
    train = es.select(made, split="train").values("id")
    made.set_values("ground_truth", [fo.Classification(label="a")] * N)
    report = es.upload_predictions(made, "m", ["a"] * N, trained_on=1)
    assert report.trained_on == len(train) > 0
    found = es.evaluate(made, "m", split=None)
    assert found.provenance["trained_on"] == len(train)
    assert found.provenance["trained_release"] == 1
    assert found.frame.iloc[0]["n"] == N - len(train)
    assert "left out because the model was trained on them" in str(found)
    es.upload_predictions(made, "m", ["b"] * N, overwrite=True)
    assert es.evaluate(made, "m", split=None).provenance["trained_on"] == len(train)


def test_scores_have_mean_and_quantiles_and_may_be_required(made):
    loss = np.arange(N) / 10
    upload = {"metric": "loss", "higher_is_better": False}
    report = es.upload_scores(made, "net", loss, **upload)
    assert str(report) == "net: 24 samples have a score"
    low = es.Requirement("loss", at_most=3)
    es.compose(made, es.Population("left", "left", require=low))
    report = es.evaluate(made, "net", split=None)
    assert value(report, "mean") == pytest.approx(loss.mean())
    assert value(report, "median") == 1.1
    assert value(report, "loss", "left") == pytest.approx(loss[1::2].mean())
    assert report.verdict == "pass"
    assert report.provenance["lower_is_better"][0] == "mean"
    with pytest.raises(NameTakenError, match="scores 'loss'"):
        es.upload_scores(made, "net", loss, **upload)
    es.upload_scores(made, "net", -loss, overwrite=True, **upload)
    assert value(es.evaluate(made, "net", split=None), "mean") < 0
    assert len([f for f in made.get_field_schema() if f.startswith("pred_")]) == 1


def test_scores_join_predictions_and_other_scores(made):
    made.set_values("ground_truth", [fo.Classification(label="a")] * N)
    es.upload_scores(made, "net", np.ones(N), metric="loss", higher_is_better=False)
    es.upload_predictions(made, "net", ["a"] * N)
    es.upload_scores(made, "net", np.zeros(N), metric="style")
    report = es.evaluate(made, "net", split=None)
    assert value(report, "accuracy") == 1
    assert value(report, "mean:loss") == 1
    assert value(report, "mean:style") == 0
    es.compose(
        made, es.Population("all", "TRUE", require=es.Requirement("mean", at_least=0))
    )
    with pytest.raises(ArgumentError, match="'mean:loss' or 'mean:style'"):
        es.evaluate(made, "net", split=None)


def test_a_population_with_a_sample_without_score_does_not_pass(made):
    some = {f"/images/{at}.jpg": 1 + at / 100 for at in range(N) if at != 3}
    es.upload_scores(made, "net", some, metric="style")
    good = es.Requirement("mean", at_least=0.5)
    es.compose(
        made,
        [
            es.Population("left", "left", require=good),
            es.Population("right", "NOT left", require=good),
        ],
    )
    report = es.evaluate(made, "net", split=None)
    verdicts = {row.population: row for row in report.rows if row.requirement}
    assert verdicts["right"].verdict == "pass"
    assert verdicts["left"].verdict == "inconclusive"
    said = report.explain(verdicts["left"])
    assert "1 of its samples has no prediction, upload them" in said


def test_multilabel_regression_and_segmentation_are_evaluated(made, tmp_path):
    rng = np.random.default_rng(1)
    true = rng.random((N, 3)) < 0.5
    guess = np.clip(0.3 * true + 0.7 * rng.random((N, 3)), 0, 1)
    made.set_values(
        "ground_truth",
        [
            fo.Classifications(
                classifications=[
                    fo.Classification(label=c)
                    for c, t in zip("abc", row, strict=True)
                    if t
                ]
            )
            for row in true
        ],
    )
    es.upload_predictions(made, "many", guess, classes=["a", "b", "c"])
    report = es.evaluate(made, "many", split=None)
    assert value(report, "accuracy") == sk.accuracy_score(true, guess >= 0.5)
    assert value(report, "map") == pytest.approx(
        sk.average_precision_score(true, guess, average="macro")
    )
    weights = rng.normal(60, 10, N)
    made.set_values("weight", [fo.Regression(value=w) for w in weights])
    numbers = dict(zip(made.values("id"), weights + rng.normal(0, 3, N), strict=True))
    es.upload_predictions(made, "scale", numbers, task="regression")
    report = es.evaluate(made, "scale", split=None, truth="weight", eval_key="scale")
    expected = sk.mean_absolute_error(weights, list(numbers.values()))
    assert value(report, "mae") == pytest.approx(expected)
    assert made.get_evaluation_info("scale").config.pred_field == "pred_scale"
    masks = rng.integers(0, 3, (N, 6, 8)).astype(np.uint8)
    wrong = np.where(rng.random(masks.shape) < 0.7, masks, 0).astype(np.uint8)
    made.set_values("pixels", [fo.Segmentation(mask=m) for m in masks])
    files = {}
    for sample, mask in zip(made.values("filepath"), wrong, strict=True):
        path = tmp_path / f"{len(files)}.png"
        Image.fromarray(mask).save(path)
        files[sample] = str(path)
    for name, source in (
        ("files", files),
        ("arrays", dict(zip(files, wrong, strict=True))),
    ):
        es.upload_predictions(made, name, source, task="segmentation")
        report = es.evaluate(made, name, split=None, truth="pixels", metrics=["miou:*"])
        each = sk.jaccard_score(masks.ravel(), wrong.ravel(), average=None)
        assert [value(report, f"miou:{c}") for c in range(3)] == pytest.approx(each)
    with pytest.raises(PredictionsError, match="4 × 4 pixels, its image 8 × 6; resize"):
        es.upload_predictions(
            made, "small", dict.fromkeys(files, np.zeros((4, 4))), skip_unknown=True
        )


def test_a_true_mask_in_postscript_is_told_and_never_run(made, postscript):
    mask = np.zeros((6, 8), np.uint8)
    made.set_values("pixels", [fo.Segmentation(mask_path=str(postscript))] * N)
    made.set_values("guess", [fo.Segmentation(mask=mask)] * N)
    es.upload_predictions(made, "m", "guess")
    with pytest.raises(ArgumentError, match="put it back: the file is PostScript"):
        es.evaluate(made, "m", split=None, truth="pixels")


@pytest.mark.parametrize(
    ("metric", "bound", "said"),
    [
        (
            "precision:a",
            {"at_least": 0.5},
            "better for precision:a than a wrong one; upload them",
        ),
        ("f1", {"at_least": 0.1}, "may be better for f1"),
        ("log_loss", {"at_most": 1.5}, "may be better for log_loss"),
        ("precision", {"max_drop": 0.5}, "may be better for precision"),
        ("accuracy", {"at_least": 0.2}, ""),
        ("recall:a", {"at_least": 0.1}, ""),
    ],
)
def test_silence_where_it_was_wrong_passes_nothing(made, metric, bound, said):
    truth = ["a", "b"] * (N // 2)
    made.set_values("ground_truth", [fo.Classification(label=c) for c in truth])
    sure = pd.get_dummies(pd.Series(truth), dtype=float)[["a", "b"]] * 0.6
    sure["a"] += np.linspace(0.1, 0.3, N)
    sure["b"] = 1 - sure["a"]
    sure.insert(0, "id", made.values("id"))
    requirement = es.Requirement(metric, **bound)
    es.compose(made, es.Population("all", "id IS NOT NULL", require=[requirement]))
    es.upload_predictions(made, "base", sure.assign(a=0.9, b=0.1), classes=["a", "b"])
    verdicts = []
    for some in (sure, sure[: N // 2]):
        es.upload_predictions(made, "m", some, classes=["a", "b"], overwrite=True)
        report = es.evaluate(made, "m", baseline="base", split=None)
        (row,) = (row for row in report.rows if row.requirement)
        verdicts.append(row.verdict)
    assert verdicts == ["pass", "inconclusive" if said else "pass"]
    assert said in report.explain(row)


def test_ranked_labels_give_top5(made):
    made.set_values("ground_truth", [fo.Classification(label="e")] * N)
    ranked = {
        i: [(c, 0.5 - at / 10) for at, c in enumerate("abcde" if left else "bcdfa")]
        for i, left in zip(*made.values(["id", "left"]), strict=True)
    }
    es.upload_predictions(made, "m", ranked)
    report = es.evaluate(made, "m", split=None)
    assert (value(report, "top5"), value(report, "accuracy")) == (0.5, 0)


def test_images_of_another_side_stay_matched(made, monkeypatch):
    monkeypatch.setattr("evalsets.datasets.boxes._ENOUGH", 1)
    names = ["cat"] * (N // 2) + ["dog"] * (N - N // 2)

    def boxes(**more):
        place = {"bounding_box": [0.1, 0.1, 0.3, 0.3], **more}
        return [
            fo.Detections(detections=[fo.Detection(label=name, **place)])
            for name in names
        ]

    made.set_values("objects", boxes())
    made.add_sample_field(
        "found", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections
    )
    made.set_values("found", boxes(confidence=0.9))
    es.upload_predictions(made, "m", "found")
    ids = made.values("id")
    options = {"split": None, "truth": "objects", "metrics": ["recall:*"]}
    sides = [made.select(ids[: N // 2]), made.select(ids[N // 2 :])]
    first = [es.evaluate(side, "m", **options).rows for side in sides]
    assert [[row.metric for row in rows] for rows in first] == [
        ["recall:cat"],
        ["recall:dog"],
    ]
    monkeypatch.setattr("evalsets.datasets.boxes._match", _never)
    assert [es.evaluate(side, "m", **options).rows for side in sides] == first
    assert value(es.evaluate(made, "m", **options), "recall:dog") == 1
    monkeypatch.undo()
    made.delete_samples(ids[:2])
    monkeypatch.setattr("evalsets.datasets.boxes._ENOUGH", 1)
    sides[1].set_values("found.detections.confidence", [[0.1]] * len(sides[1]))
    assert value(es.evaluate(sides[1], "m", **options), "recall:dog") == 0
    kept = load_matches(made, "objects", "found")
    assert sorted(kept.ids) == sorted(ids[2:])


def test_parted_boxes_are_joined_and_matched_once(made, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "ROWS", 5)
    monkeypatch.setattr("evalsets.datasets.boxes._ENOUGH", 1)
    names = [path.rpartition("/")[2] for path in made.values("filepath")]
    truth = [
        fo.Detections(
            detections=[
                fo.Detection(label="cat", bounding_box=[0.0, 0.0, 0.5, 0.5]),
                fo.Detection(label="dog", bounding_box=[0.5, 0.5, 0.5, 0.5]),
            ]
        )
        for _ in names
    ]
    made.set_values("objects", truth)
    (tmp_path / "a.json").write_text(
        json.dumps(
            {
                "images": [{"id": at, "file_name": n} for at, n in enumerate(names)],
                "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
            }
        )
    )
    rows = [
        {
            "image_id": at,
            "category_id": 1 + k,
            "bbox": [4 * k, 3 * k, 4, 3],
            "score": 0.9,
        }
        for k in (0, 1)
        for at in range(N)
        if k == 0 or at % 2
    ]
    (tmp_path / "r.json").write_text(json.dumps(rows))
    given = {"classes": tmp_path / "a.json"}
    es.upload_predictions(made, "m", tmp_path / "r.json", **given)
    field = es.models(made)["m"].field
    assert made.values(f"{field}.detections.label") == [["cat"], ["cat", "dog"]] * (
        N // 2
    )
    first = es.evaluate(made, "m", split=None, truth="objects", metrics=["recall:*"])
    assert value(first, "recall:dog") == 0.5
    with monkeypatch.context() as patch:
        patch.setattr("evalsets.datasets.boxes._match", _never)
        again = es.evaluate(
            made, "m", split=None, truth="objects", metrics=["recall:*"]
        )
        assert again.rows == first.rows
        half = es.evaluate(
            made.limit(2), "m", split=None, truth="objects", metrics=["recall"]
        )
        assert value(half, "recall") == 0.75
    sample = made.first()
    sample["objects"].detections[0].bounding_box = [0.9, 0.9, 0.1, 0.1]
    sample.save()
    third = es.evaluate(made, "m", split=None, truth="objects", metrics=["recall:*"])
    assert value(third, "recall:cat") == pytest.approx((N - 1) / N)


def _never(*_):
    raise AssertionError("nothing has changed")


def test_fiftyones_own_evaluation_is_written_when_asked(made):
    made.set_values(
        "ground_truth",
        [fo.Classification(label="a" if at % 2 else "b") for at in range(N)],
    )
    es.upload_predictions(made, "m", ["a"] * N)
    for _ in range(2):  # again, under the same key
        es.evaluate(made, "m", split=None, eval_key="judged")
    results = made.load_evaluation_results("judged")
    assert results.metrics()["accuracy"] == 0.5
    assert made.count_values("judged") == {True: N // 2, False: N // 2}
    for options, error, said in (
        ({"eval_key": "no key"}, ArgumentError, "underscores"),
        ({"eval_key": "judged", "truth": "other"}, NameTakenError, "another eval_key"),
    ):
        made.clone_sample_field("ground_truth", "other") if "truth" in options else None
        with pytest.raises(error, match=said):
            es.evaluate(made, "m", split=None, **options)


def test_an_evaluation_of_a_field_in_place_may_be_written_again(made):
    labels = [fo.Classification(label="a") for _ in range(N)]
    made.set_values("ground_truth", labels)
    made.set_values("mine", [fo.Classification(label="b") for _ in range(N)])
    made.set_values("theirs", [fo.Classification(label="a") for _ in range(N)])
    es.upload_predictions(made, "m", "mine")
    es.upload_predictions(made, "other", "theirs")
    for _ in range(2):
        es.evaluate(made, "m", split=None, eval_key="judged")
    with pytest.raises(NameTakenError, match="compares 'mine'"):
        es.evaluate(made, "other", split=None, eval_key="judged")
    made.delete_evaluation("judged")
    made.delete_sample_field("mine")
    with pytest.raises(UnknownNameError, match="what model 'm' predicts; upload"):
        es.evaluate(made, "m", split=None)
    assert es.history(made)["stale"].tolist() == ["the predictions of 'm' are gone"] * 2
    es.upload_scores(made, "s", [1.0] * N)
    made.delete_sample_field(es.models(made)["s"].field)
    with pytest.raises(UnknownNameError, match="the score 'score'; upload"):
        es.evaluate(made, "s", split=None)


def test_a_model_that_found_nothing_anywhere_is_evaluated(made):
    truth = [fo.Detection(label="cat", bounding_box=[0.1, 0.1, 0.5, 0.5])]
    made.set_values("ground_truth", [fo.Detections(detections=truth)] * N)
    with pytest.raises(PredictionsError, match="empty"):
        es.upload_predictions(made, "blind", [])
    report = es.upload_predictions(made, "blind", [], task="detection")
    assert str(report) == "blind: nothing was found on any sample"
    box = {"label": "cat", "bounding_box": [0.1, 0.1, 0.5, 0.5], "score": 0.9}
    es.upload_predictions(made, "sees", {key: [box] for key in made.values("id")})
    report = es.evaluate(made, "blind", baseline="sees", split=None)
    assert report.provenance["unpredicted"] == N
    row = report.frame.query("metric == 'recall'").iloc[0]
    assert (row["n"], row["value"], row["baseline"], row["delta"]) == (N, 0, 1, -1)


def test_a_training_set_may_hold_more_than_the_dataset(made):
    made.set_values("ground_truth", [fo.Classification(label="a")] * N)
    keys = [*made.values("filepath")[:3], "/elsewhere/1.jpg", "/elsewhere/2.jpg"]
    report = es.upload_predictions(made, "m", ["a"] * N, trained_on=pd.Series(keys))
    assert (report.trained_on, report.trained_elsewhere) == (3, 2)
    assert "2 keys belong to no sample, of those it was trained on" in str(report)
    assert value(es.evaluate(made, "m", split=None), "accuracy") == 1
    assert es.history(made)["samples"].tolist() == [N - 3]


def test_a_model_trained_on_every_sample_gets_the_real_reason(made):
    made.set_values("ground_truth", [fo.Classification(label="a")] * N)
    es.upload_predictions(made, "m", ["a"] * N, trained_on=made.values("id"))
    with pytest.raises(
        ArgumentError, match=r"'m'.* was trained on every sample of any"
    ):
        es.evaluate(made, "m", split=None)


def test_while_an_upload_fills_others_write_and_leave_it_alone(made):
    es.upload_predictions(made, "net", dict.fromkeys(made.values("filepath"), "old"))

    def others():
        es.compose(made, es.Population("left", "left = true"))
        es.upload_predictions(made, "other", {"/images/3.jpg": "left"})
        es.upload_scores(made, "net", {"/images/3.jpg": 0.5}, metric="loss")

    table = pd.DataFrame({"filepath": made.values("filepath"), "label": "new"})
    again = uploading(made, "net", "classification", overwrite=True)
    samples = upload.Samples.of(made, "filepath", table)

    def read():
        return upload.read_tables(table, key="filepath", task="classification")

    with again as into, ThreadPoolExecutor(1) as pool:
        samples.write(samples.check(read, False), read, into.write)
        pool.submit(others).result()
        stored = prediction_set(made, "net")
        into.commit(replace(stored, field=into.field), "net", None, None)
    made.reload()
    assert set(es.populations(made)) == {"left"}
    assert set(made.values(f"{into.field}.label")) == {"new"}
    assert [s.metric for s in prediction_set(made, "net").scores] == ["loss"]
    assert prediction_set(made, "other").matched == 1


@pytest.mark.parametrize("other", ["fills", "is done"])
def test_an_upload_that_slept_while_another_took_over_leaves_that_alone(
    made, monkeypatch, other
):
    paths, store = made.values("filepath"), ExecutionStore.create(STORE, made._doc.id)
    table = pd.DataFrame({"filepath": paths, "label": "mine"})
    samples = upload.Samples.of(made, "filepath", table)

    def read():
        return upload.read_tables(table, key="filepath", task="classification")

    checked = samples.check(read, False)

    def sleep_and_write():
        with uploading(made, "net", "classification") as into:
            store.delete("upload of net")  # as it expires
            if other == "fills":
                holder = {"host": "elsewhere", "pid": 1, "token": "x"}
                store.set("upload of net", holder)
                made.set_values("pred_net", [fo.Classification(label="other")] * N)
            else:
                answers = dict.fromkeys(paths, "other")
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(es.upload_predictions, made, "net", answers).result()
            slept = time.time() + 700
            monkeypatch.setattr(locks.time, "time", lambda: slept)
            samples.write(checked, read, into.write)

    with pytest.raises(LockedError, match="another writer"):
        sleep_and_write()
    made.reload()
    assert set(made.values("pred_net.label")) == {"other"}


def test_who_writes_next_waits_until_an_upload_that_counts_is_done(made, monkeypatch):
    store = ExecutionStore.create(STORE, made._doc.id)
    other = {"host": "elsewhere", "pid": 1, "token": "x"}
    commit = predictions.Upload.commit

    def and_then_another(self, *args):
        commit(self, *args)
        store.set_if_absent(KEY, other, ttl=60)

    monkeypatch.setattr(predictions.Upload, "commit", and_then_another)
    es.upload_predictions(made, "net", dict.fromkeys(made.values("filepath"), "a"))
    es.upload_scores(made, "net", {"/images/3.jpg": 0.5}, metric="loss")
    assert prediction_set(made, "net").matched == N


def test_predictions_for_no_samples_are_refused(dataset):
    with pytest.raises(ArgumentError, match="no samples to predict; sync"):
        es.upload_predictions(dataset, "net", {"/a.jpg": "a"})


def test_two_uploads_of_one_model_wait_for_each_other(made, monkeypatch):
    monkeypatch.setattr(predictions, "PATIENCE_S", 0)
    with (
        uploading(made, "net", "classification"),
        ThreadPoolExecutor(1) as pool,
        pytest.raises(LockedError, match="given 'net' by process"),
    ):
        pool.submit(
            es.upload_predictions, made, "net", {"/images/3.jpg": "left"}
        ).result()


@pytest.mark.parametrize("replaced", ["net", "base"])
def test_what_is_uploaded_again_while_it_is_read_gives_no_figures(
    made, monkeypatch, replaced
):
    paths = made.values("filepath")
    made.set_values("ground_truth", [fo.Classification(label="a") for _ in paths])
    for model in ("net", "base"):
        es.upload_predictions(made, model, dict.fromkeys(paths, "a"))
    read_outcomes = comparing.read_outcomes

    def late(view, truth, stored):
        if stored.model == replaced:
            answers = dict.fromkeys(paths, "a")
            es.upload_predictions(made, replaced, answers, overwrite=True)
        return read_outcomes(view, truth, stored)

    monkeypatch.setattr(comparing, "read_outcomes", late)
    with pytest.raises(LockedError, match=f"'{replaced}' was uploaded again"):
        es.evaluate(made, "net", baseline="base", split=None)
    assert es.history(made).empty


def test_what_is_uploaded_again_before_its_evaluation_is_kept_loses_no_earlier_one(
    made, monkeypatch
):
    paths = made.values("filepath")
    made.set_values("ground_truth", [fo.Classification(label="a") for _ in paths])
    es.upload_predictions(made, "net", dict.fromkeys(paths, "a"))
    es.evaluate(made, "net", split=None, eval_key="judged")
    evaluate_models = evaluate.evaluate_models

    def late(*args, **options):
        es.upload_predictions(made, "net", dict.fromkeys(paths, "b"), overwrite=True)
        return evaluate_models(*args, **options)

    monkeypatch.setattr(evaluate, "evaluate_models", late)
    with pytest.raises(LockedError, match="'net' was uploaded again"):
        es.evaluate(made, "net", split=None, eval_key="judged")
    assert made.count_values("judged") == {True: N}


def test_a_model_does_not_pass_by_leaving_out_what_it_would_get_wrong(made):
    made.set_values("ground_truth", [fo.Classification(label="a") for _ in range(N)])
    drop = es.Requirement("accuracy", max_drop=0.2)
    es.compose(made, es.Population("everyone", "TRUE", require=[drop]))
    paths = made.values("filepath")
    old = ["a"] * 20 + ["b"] * (N - 20)
    es.upload_predictions(made, "new", dict.fromkeys(paths[10:20], "a"))
    es.upload_predictions(made, "old", dict(zip(paths, old, strict=True)))
    report = es.evaluate(made, "new", baseline="old", split=None)
    row = report.frame.query("requirement != ''").iloc[0]
    assert row["verdict"] != "pass"
    assert row[["value", "baseline", "delta"]].to_list() == pytest.approx(
        [10 / N, 20 / N, -10 / N]
    )
    assert report.provenance["uncompared"] == 0
    lost = es.discordant(made, "new", "old", split=None, only="lost")
    assert sorted(lost.values("filepath")) == sorted(paths[:10])


def test_what_the_baseline_leaves_out_does_not_count_for_the_model(made):
    """As wrong answers of the baseline they would hide that the model lost all others."""
    made.set_values("ground_truth", [fo.Classification(label="a") for _ in range(N)])
    paths = made.values("filepath")
    es.upload_predictions(made, "new", {p: "ab"[n < 10] for n, p in enumerate(paths)})
    es.upload_predictions(made, "old", dict.fromkeys(paths[:10], "a"))
    report = es.evaluate(made, "new", baseline="old", split=None)
    row = report.frame.query("metric == 'accuracy'").iloc[0]
    assert (row["baseline"], row["delta"]) == (1, -1)
    assert report.provenance["uncompared"] == N - 10


def test_samples_that_both_models_lack_are_told_as_the_baselines(made):
    made.set_values("ground_truth", [fo.Classification(label="a") for _ in range(N)])
    paths = made.values("filepath")
    for model in ("new", "old"):
        es.upload_predictions(made, model, dict.fromkeys(paths[14:], "a"))
    said = str(es.evaluate(made, "new", baseline="old", split=None))
    assert "14 samples had no prediction and count as predicting nothing." in said
    assert "14 samples that the baseline has no answer for were left out of the" in said


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("one", [True, False])
def test_a_value_less_its_difference_is_the_baselines_own_value(made, seed, one):
    """Whatever the model leaves out; of one label a sample, and of sets."""
    rng = np.random.default_rng(seed)
    labels = [rng.choice(["a", "b", "c"], N).tolist() for _ in range(3)]
    truth = [fo.Classification(label=name) for name in labels[0]]
    if not one:
        truth = [fo.Classifications(classifications=[label]) for label in truth]
    made.set_values("ground_truth", truth)
    paths = made.values("filepath")
    answers = rng.random(N) < rng.random()
    answers[0] = True
    for model, names in zip(("new", "old"), labels[1:], strict=True):
        found = {
            path: name if one else [{"label": name}]
            for path, name, answer in zip(paths, names, answers, strict=True)
            if answer or model == "old"
        }
        es.upload_predictions(made, model, found)
    figures = [
        es.evaluate(made, model, baseline=baseline, split=None)
        .frame.query("population == '(all)'")
        .set_index("metric")
        for model, baseline in (("new", "old"), ("old", None))
    ]
    assert figures[0]["baseline"].to_numpy() == pytest.approx(figures[1]["value"])
    less = figures[0]["value"] - figures[0]["delta"]
    assert less.to_numpy() == pytest.approx(figures[1]["value"])


@pytest.mark.parametrize(
    ("verb", "given"),
    [
        ("upload_predictions", {"overwrite": "no"}),
        ("upload_predictions", {"skip_unknown": 1}),
        ("upload_scores", {"higher_is_better": "no"}),
        ("upload_scores", {"overwrite": None}),
    ],
    ids=str,
)
def test_a_flag_that_is_neither_true_nor_false_is_refused(made, verb, given):
    """Else the text "no" would mean yes."""
    ((option, value),) = given.items()
    with pytest.raises(ArgumentError, match=f"{option} is {value!r}; give True or"):
        getattr(es, verb)(made, "net", dict.fromkeys(made.values("id"), 0.5), **given)
    assert not es.models(made)


def test_an_open_verdict_has_its_real_cause(made):
    """Neither is a baseline missing that was named, nor a bound near that none judged."""
    paths = made.values("filepath")
    made.set_values("ground_truth", [fo.Classification(label="a") for _ in paths])
    es.upload_predictions(made, "net", dict.fromkeys(paths, ("a", 0.9)))
    es.upload_predictions(made, "half", dict.fromkeys(paths[1::2], ("a", 0.9)))
    for requirement, model, baseline, cause in (
        (es.Requirement("accuracy", max_drop=0.1), "net", "half", "no such figure of the baseline"),
        (es.Requirement("accuracy", max_drop=0.1), "net", None, "no baseline"),
        (es.Requirement("ece", at_most=0.9), "half", None, "missing predictions"),
    ):  # fmt: skip
        query = "left = FALSE" if model == "net" else "left IS NOT NULL"
        es.compose(made, es.Population("some", query, require=[requirement]))
        report = es.evaluate(made, model, baseline=baseline, split=None)
        assert f"INCONCLUSIVE: {cause} on 1 of 1" in report.headline
        (row,) = (row for row in report.rows if row.requirement)
        assert row.n > 0
        assert row.needed is None


def test_predictions_for_other_samples_only_are_refused(made):
    made.set_values("ground_truth", [fo.Classification(label="a")] * N)
    es.upload_predictions(made, "m", {made.first().id: "a"})
    with pytest.raises(ArgumentError, match="which has 1 elsewhere; upload those"):
        es.evaluate(made.skip(1), "m", split=None)


def test_discordant_samples_are_a_view_with_the_lost_first(made):
    made.set_values("ground_truth", [fo.Classification(label="a")] * N)
    ids = made.values("id")
    es.upload_predictions(made, "new", ["b"] * 2 + ["a"] * (N - 2))
    es.upload_predictions(made, "old", ["a"] * 4 + ["b"] * 3 + ["a"] * (N - 7))
    view = es.discordant(made, "new", "old", split=None)
    assert view.values("id") == [*ids[:2], *ids[4:7]]
    es.compose(made, es.Population("left", "left"))
    view = es.discordant(made, "new", "old", split=None, population="left")
    assert view.values("id") == [ids[1], ids[5]]


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda d: es.upload_predictions(d, "", ["a"] * N), ArgumentError, "name of its"),
        (lambda d: es.upload_predictions(d, "m", ["a"] * N, trained_on="x"), ArgumentError, "one text"),
        (lambda d: es.upload_predictions(d, "m", ["a"] * N, trained_on=9), UnknownNameError, "9"),
        (lambda d: es.upload_predictions(d, "m", ["a"] * N, trained_on=np.int64(8)), UnknownNameError, "8"),
        (lambda d: es.upload_predictions(d, "m", ["a"] * N, trained_on=True), ArgumentError, "is True"),
        (lambda d: es.upload_predictions(d, "m", ["a"] * N, trained_on=1.5), ArgumentError, "is 1.5"),
        (lambda d: es.upload_predictions(d, "m", ["a"] * N, trained_on=["x"]), PredictionsError, "no sample"),
        (lambda d: es.upload_predictions(d, "m", ["a"] * N, task="boxes"), UnknownNameError, "No task"),
        (lambda d: es.upload_predictions(d, "m", np.array(3.0)), PredictionsError, "cannot be a ndarray"),
        (lambda d: es.upload_scores(d, "m", [1.0, np.nan] * 12), PredictionsError, "finite"),
        (lambda d: es.upload_scores(d, "m", [1.0] * N, metric="f1"), ArgumentError, "own_f1"),
        (lambda d: es.upload_scores(d, "m", [1.0] * N, metric="a:b"), ArgumentError, "without ':'"),
        (lambda d: es.upload_scores(d, "m", pd.DataFrame({"filepath": ["/images/1.jpg"], "a": ["x"]})), PredictionsError, "call it 'score'"),
    ],
)  # fmt: skip
def test_what_cannot_be_uploaded_says_why(made, call, error, said):
    before = list(made.get_field_schema())
    with pytest.raises(error, match=said):
        call(made)
    made.reload()
    assert list(made.get_field_schema()) == before
    assert es.models(made) == {}


@pytest.mark.shared
def test_a_real_detectors_results_have_the_precision_pycocotools_gives(dataset, shared):
    folder = shared / "data" / "coco128-train2017"
    held = json.loads((folder / "annotations_coco.json").read_text())
    names = {c["id"]: c["name"] for c in held["categories"]}
    samples = {}
    for image in held["images"]:
        sample = fo.Sample(
            str(folder / "images" / image["file_name"]),
            metadata=fo.ImageMetadata(width=image["width"], height=image["height"]),
        )
        sample["ground_truth"] = fo.Detections()
        samples[image["id"]] = sample
    for row in held["annotations"]:
        sample = samples[row["image_id"]]
        sides = [sample.metadata.width, sample.metadata.height] * 2
        box = [x / side for x, side in zip(row["bbox"], sides, strict=True)]
        sample["ground_truth"].detections.append(
            fo.Detection(
                label=names[row["category_id"]],
                bounding_box=box,
                iscrowd=row["iscrowd"],
            )
        )
    dataset.add_samples(samples.values())
    report = es.upload_predictions(
        dataset,
        "yolox",
        folder / "detections_yolox.json",
        classes=folder / "annotations_coco.json",
    )
    assert (report.matched, report.missing) == (126, 2)
    found = es.evaluate(dataset, "yolox", split=None, replicates=100)
    assert value(found, "map") == pytest.approx(0.32344, abs=1e-5)
    assert value(found, "map50") == pytest.approx(0.49152, abs=1e-5)


@pytest.mark.shared
def test_a_real_classifier_has_the_figures_that_scikit_learn_gives(dataset, shared):
    folder = shared / "data" / "cifar10-test"
    truth = pd.read_csv(folder / "labels.csv").head(1000)
    files = [str(folder / "images" / name) for name in truth["file"]]
    dataset.add_samples([fo.Sample(file) for file in files])
    dataset.set_values(
        "ground_truth", [fo.Classification(label=c) for c in truth["label"]]
    )
    es.upload_predictions(
        dataset, "cv", folder / "predictions_cleanlab_cv.csv", skip_unknown=True
    )
    table = pd.read_csv(folder / "predictions_cleanlab_cv.csv").head(1000)
    report = es.evaluate(dataset, "cv", split=None, replicates=100)
    shares = table[sorted(truth["label"].unique())].to_numpy()
    shares = np.clip(shares, 1e-12, None)
    expected = {
        "accuracy": sk.accuracy_score(truth["label"], table["prediction"]),
        "f1": sk.f1_score(truth["label"], table["prediction"], average="macro"),
        "top5": sk.top_k_accuracy_score(truth["label"], shares, k=5),
    }
    for metric, figure in expected.items():
        assert value(report, metric) == pytest.approx(figure), metric


def _boxes(label):
    box = fo.Detection(label=label, bounding_box=[0, 0, 0.5, 0.5], confidence=0.9)
    return fo.Detections(detections=[box])


@pytest.mark.parametrize("boxes", [False, True])
def test_an_evaluation_that_fiftyone_fails_at_leaves_the_earlier_one(
    made, boxes, monkeypatch
):
    one = _boxes if boxes else lambda label: fo.Classification(label=label)
    made.set_values("truth", [one("a" if at % 2 else "b") for at in range(N)])
    made.set_values("mine", [one("a") for _ in range(N)])
    es.upload_predictions(made, "m", "mine")
    judge = {"split": None, "truth": "truth", "eval_key": "judged"}
    es.evaluate(made, "m", **judge)
    field = "mine.detections.judged" if boxes else "judged"
    before, fields = made.values(field), set(made.get_field_schema(flat=True))
    result = "DetectionResults" if boxes else "ClassificationResults"

    def full(*_, **__):
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(fo.core.evaluation.EvaluationMethod, "save_run_results", full)
        with pytest.raises(OSError, match="no space left"):
            es.evaluate(made, "m", **judge)
    made.reload()
    assert made.list_evaluations() == ["judged"]
    assert made.values(field) == before
    assert set(made.get_field_schema(flat=True)) == fields
    assert type(made.load_evaluation_results("judged")).__name__.endswith(result)
    es.evaluate(made.limit(2), "m", **judge)
    assert made.list_evaluations() == ["judged"]
    assert set(made.get_field_schema(flat=True)) == fields
    assert len(made.load_evaluation_results("judged").ytrue) == (3 if boxes else 2)
