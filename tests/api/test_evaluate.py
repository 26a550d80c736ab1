import contextlib
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import fiftyone as fo
import numpy as np
import pandas as pd
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from sklearn.metrics import accuracy_score

import evalsets as es
from evalsets.datasets.locks import schema_lock
from evalsets.errors import (
    ArgumentError,
    NameTakenError,
    PredictionsError,
    UnknownNameError,
)

pytestmark = pytest.mark.db


@pytest.fixture
def kinds(labels):
    return sorted(labels["label"].unique())


@pytest.fixture
def guesses(labels, kinds):
    """Right by day; at night a model that sees nothing."""
    rng = np.random.default_rng(0)
    blind = np.where(labels["time"] == "night", rng.choice(kinds, len(labels)), "")
    label = np.where(blind == "", labels["label"], blind)
    return pd.DataFrame(
        {"filepath": labels["filepath"], "label": label, "confidence": 0.9}
    )


@pytest.fixture
def composed(drawn):
    good = es.Requirement("accuracy", at_least=0.8)
    es.compose(
        drawn,
        [
            es.Population("night", "time = 'night'", require=[good]),
            es.Population("day", "time = 'day'", require=[good]),
            es.Population("nowhere", "num_people > 99", require=[good]),
        ],
    )
    return drawn


def test_figures_are_those_of_scikit_learn(composed, labels, guesses):
    es.upload_predictions(composed, "blind", guesses)
    frame = es.evaluate(composed, "blind", split=None).frame
    night = labels["time"] == "night"
    for population, rows in {"(all)": night | True, "night": night}.items():
        row = frame.set_index(["population", "metric"]).loc[population, "accuracy"]
        expected = accuracy_score(labels[rows]["label"], guesses[rows]["label"])
        assert row["value"] == pytest.approx(expected)
        assert row["n"] == rows.sum()
        assert row["low"] < row["value"] < row["high"]


def test_the_bad_population_fails_and_the_empty_one_does_not_pass(composed, guesses):
    es.upload_predictions(composed, "blind", guesses)
    report = es.evaluate(composed, "blind", split=None)
    verdict = report.frame.query("requirement != ''").set_index("population")["verdict"]
    assert verdict.to_dict() == {
        "night": "fail",
        "day": "pass",
        "nowhere": "inconclusive",
    }
    assert report.verdict == "fail"
    assert report.exit_code == 1
    assert all(", predicted " in caption for _, caption in report.samples["night"])


def test_a_drop_against_a_baseline_is_judged_sample_by_sample(drawn, labels, guesses):
    same = es.Requirement("accuracy", max_drop=0.05)
    es.compose(drawn, es.Population("night", "time = 'night'", require=[same]))
    es.upload_predictions(drawn, "blind", guesses)
    es.upload_predictions(drawn, "truth", labels[["filepath", "label"]])
    report = es.evaluate(drawn, "blind", baseline="truth", split=None)
    row = report.frame.query("requirement != ''").iloc[0]
    assert row["verdict"] == "fail"
    assert row["baseline"] == 1
    assert row["delta"] == pytest.approx(row["value"] - 1)
    assert es.evaluate(drawn, "truth", baseline="blind", split=None).verdict == "pass"


def test_a_model_is_not_its_own_baseline(composed, guesses):
    es.upload_predictions(composed, "blind", guesses)
    for verb in (es.evaluate, es.discordant):
        with pytest.raises(ArgumentError, match="'blind' cannot be its own baseline"):
            verb(composed, "blind", baseline="blind", split=None)
    assert es.evaluate(composed, "blind", split=None).provenance["looks"] == 1


def test_a_drop_without_a_baseline_is_inconclusive(drawn, guesses):
    same = es.Requirement("accuracy", max_drop=0.05)
    es.compose(drawn, es.Population("night", "time = 'night'", require=[same]))
    es.upload_predictions(drawn, "blind", guesses)
    assert es.evaluate(drawn, "blind", split=None).verdict == "inconclusive"


def test_rows_say_what_they_do_not_show(drawn, labels, guesses):
    asked = [
        es.Requirement("accuracy", max_drop=0.8),
        es.Requirement("recall:zebra", at_least=0.5),
        es.Requirement("ece", at_most=0.9),
    ]
    es.compose(drawn, es.Population("night", "time = 'night'", require=asked))
    night = np.flatnonzero(labels["time"] == "night")
    es.upload_predictions(drawn, "blind", guesses.drop(index=guesses.index[night[:3]]))
    es.upload_predictions(
        drawn, "few", labels[["filepath", "label"]].iloc[night[2:7]].copy()
    )
    report = es.evaluate(drawn, "blind", baseline="few", split=None)
    rows = [row for row in report.rows if row.requirement]
    said = {row.metric: report.explain(row) for row in rows}
    assert "; compared on 5 samples that the baseline answered" in said["accuracy"]
    assert "No class 'zebra'" in said["recall:zebra"]
    assert "3 of its samples have no prediction" in said["ece"]
    assert {row.verdict for row in rows if row.metric != "accuracy"} == {"inconclusive"}


def test_missing_truth_is_left_out_and_a_missing_prediction_is_wrong(
    composed, labels, guesses
):
    es.upload_predictions(composed, "blind", guesses.iloc[10:])
    first = composed.match(fo.ViewField("filepath").ends_with(labels.filepath[20]))
    first.set_field("ground_truth", None).save()
    report = es.evaluate(composed, "blind", split=None)
    assert report.provenance["unpredicted"] == 10
    assert report.provenance["unlabelled"] == 1
    row = report.frame.iloc[0]
    right = (guesses.label == labels.label).drop(index=[*range(10), 20])
    assert row["n"] == len(labels) - 1
    assert row["value"] == pytest.approx(right.sum() / (len(labels) - 1))


def test_predicted_classes_that_the_truth_lacks_are_named(composed, labels, guesses):
    typo = guesses.assign(label=["raod", "dog", *guesses["label"][2:]])
    uploaded = es.upload_predictions(composed, "typo", typo)
    assert uploaded.strange_labels == ("dog", "raod")
    assert "2 of its classes are nowhere in 'ground_truth': 'dog', 'raod'" in str(
        uploaded
    )
    report = es.evaluate(composed, "typo", split=None)
    assert report.provenance["strange_labels"] == ["dog", "raod"]
    note = "2 predicted classes are nowhere in the truth: 'dog' and 'raod'."
    assert note in str(report)
    fine = es.upload_predictions(composed, "fine", guesses)
    assert (fine.strange_labels, "nowhere" in str(fine)) == ((), False)
    composed.clone_sample_field("ground_truth", "teacher")
    composed.delete_sample_field("ground_truth")
    assert es.upload_predictions(composed, "third", typo).strange_labels == ()
    report = es.evaluate(composed, "third", split=None, truth="teacher")
    assert report.provenance["strange_labels"] == ["dog", "raod"]
    few = composed.match(fo.ViewField("time") == "night").limit(3)
    report = es.evaluate(few, "fine", split=None, truth="teacher")
    assert report.provenance["strange_labels"] == []


def test_samples_the_model_was_trained_on_are_left_out_and_counted(
    composed, labels, guesses
):
    seen = labels["filepath"][:7].tolist()
    es.upload_predictions(composed, "blind", guesses, trained_on=seen)
    report = es.evaluate(composed, "blind", split=None)
    assert report.provenance["trained_on"] == 7
    assert report.frame.iloc[0]["n"] == len(labels) - 7


def test_samples_the_baseline_was_trained_on_are_left_out_too(
    composed, labels, guesses
):
    paths = labels["filepath"].tolist()
    es.upload_predictions(composed, "new", guesses, trained_on=paths[:7])
    es.upload_predictions(composed, "old", guesses, trained_on=paths[5:9])
    report = es.evaluate(composed, "new", baseline="old", split=None)
    assert report.provenance["trained_on"] == 7
    assert report.provenance["baseline_trained_on"] == 4
    assert report.frame.iloc[0]["n"] == len(labels) - 9


def test_evaluations_at_once_count_each_other(composed, guesses):
    es.upload_predictions(composed, "blind", guesses)
    with ThreadPoolExecutor(4) as pool:
        reports = pool.map(
            lambda _: es.evaluate(composed, "blind", split=None), range(4)
        )
        looks = sorted(report.provenance["looks"] for report in reports)
    assert looks == [1, 2, 3, 4]


def test_evaluations_are_kept_whole_while_another_thread_reloads(composed, guesses):
    es.upload_predictions(composed, "blind", guesses)
    done = threading.Event()

    def reload():
        while not done.is_set():
            with schema_lock:
                composed.reload()

    with ThreadPoolExecutor(1) as pool:
        reloading = pool.submit(reload)
        try:
            for at in range(5):
                es.evaluate(composed, "blind", split=None, eval_key=f"judged_{at}")
        finally:
            done.set()
        reloading.result()
    composed.reload()
    for at in range(5):
        assert composed.count(f"judged_{at}") == len(composed)
        assert composed.load_evaluation_results(f"judged_{at}") is not None


def test_every_report_is_kept_and_looks_are_counted(composed, guesses):
    es.upload_predictions(composed, "blind", guesses)
    first = es.evaluate(composed, "blind", split=None)
    second = es.evaluate(composed, "blind", split=None)
    assert es.history(composed)["looks"].tolist() == [1, 2]
    assert es.load_report(composed, 1) == first
    assert es.load_report(composed, 2).provenance["looks"] == 2
    assert second.rows == first.rows


def test_a_look_at_everything_is_a_look_at_each_side(composed, guesses):
    es.upload_predictions(composed, "blind", guesses)
    es.upload_predictions(composed, "old", guesses)
    es.split(composed, background=0.3)
    es.evaluate(composed, "blind", split=None)
    assert es.evaluate(composed, "blind").provenance["looks"] == 2
    es.discordant(composed, "blind", "old")
    assert es.evaluate(composed, "blind").provenance["looks"] == 4
    assert es.evaluate(composed, "blind", split="val").provenance["looks"] == 2
    assert es.evaluate(composed, "blind", split=None).provenance["looks"] == 6


def test_predictions_are_labels_that_queries_can_use(composed, guesses):
    report = es.upload_predictions(composed, "blind", guesses)
    assert (report.matched, report.missing) == (len(guesses), 0)
    wrong = es.search(composed, "prediction('blind') <> ground_truth")
    right = es.search(composed, "prediction('blind') = ground_truth")
    assert len(wrong) + len(right) == len(composed)
    assert 0 < len(wrong) < len(composed.match(fo.ViewField("time") == "night")) + 1


def test_probabilities_come_back_as_they_were(composed, labels, kinds):
    rng = np.random.default_rng(1)
    shares = rng.dirichlet(np.ones(len(kinds)), len(labels))
    table = pd.DataFrame(shares, columns=kinds).assign(file=labels["filepath"])
    es.upload_predictions(composed, "soft", table)
    frame = es.evaluate(composed, "soft", split=None).frame
    row = frame.query("population == '(all)' and metric == 'log_loss'").iloc[0]
    own = shares[range(len(labels)), [kinds.index(k) for k in labels["label"]]]
    assert row["value"] == pytest.approx(-np.log(own).mean(), rel=1e-6)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.assign(filepath="x" + t["filepath"]), "belong to no sample"),
        (lambda t: pd.concat([t, t[:1]]), "more than once"),
        (
            lambda t: t.assign(confidence=t["confidence"].where(t.index > 3)),
            "not a num",
        ),
        (lambda t: t.assign(confidence=90), "divide percents"),
        (lambda t: t[["filepath"]], "label"),
        (lambda t: t[:0], "empty"),
    ],
    ids=["unknown keys", "doubled keys", "NaN", "percent", "no label", "empty"],
)
def test_an_upload_that_is_wrong_writes_nothing(composed, guesses, change, said):
    before = list(composed.get_field_schema())
    with pytest.raises(PredictionsError, match=said):
        es.upload_predictions(composed, "blind", change(guesses))
    composed.reload()
    assert list(composed.get_field_schema()) == before
    assert es.models(composed) == {}


def test_a_second_upload_needs_overwrite_and_then_replaces(composed, labels, guesses):
    es.upload_predictions(composed, "m", guesses)
    with pytest.raises(NameTakenError, match="overwrit"):
        es.upload_predictions(composed, "m", labels[["filepath", "label"]])
    es.upload_predictions(composed, "m", labels[["filepath", "label"]], overwrite=True)
    assert es.evaluate(composed, "m", split=None).frame.iloc[0]["value"] == 1
    fields = [n for n in composed.get_field_schema() if n.startswith("pred_")]
    assert fields == [es.models(composed)["m"].field]


def test_populations_follow_predictions_that_are_replaced(composed, labels, guesses):
    wrong = es.Population("wrong", "prediction('m') <> ground_truth")
    es.upload_predictions(composed, "m", guesses)
    assert len(es.compose(composed, wrong)) > 0
    for table in (labels[["filepath", "label"]], guesses):
        es.upload_predictions(composed, "m", table, overwrite=True)
        expected = set(es.search(composed, wrong.query).values("id"))
        assert set(composed.load_saved_view("wrong").values("id")) == expected
        assert es.membership(composed)["wrong"].sum() == len(expected)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"model": "blnid"}, UnknownNameError, "did you mean 'blind'"),
        ({"baseline": "other"}, UnknownNameError, "No model 'other'"),
        ({"truth": "gt"}, UnknownNameError, "holds the true labels.*'ground_truth'"),
        ({"truth": "num_people"}, ArgumentError, "does not hold.*'ground_truth'"),
        ({"split": "test"}, ArgumentError, "split it first"),
        ({"metrics": ["acuracy"]}, UnknownNameError, "did you mean 'accuracy'"),
        ({"groups": "scene"}, UnknownNameError, "scene"),
        ({"groups": "tags"}, ArgumentError, "single value"),
        ({"alpha": 2}, ArgumentError, "alpha is 2"),
        ({"seed": -1}, ArgumentError, "seed is -1"),
        ({"seed": 2**63}, ArgumentError, "seed is 9223372036854775808"),
        ({"release": "1"}, ArgumentError, "release is '1'; give its number"),
        ({"truth": None}, ArgumentError, "truth is None"),
        ({"truth": "pred_blind"}, ArgumentError, "compared with itself"),
        ({"metrics": 5}, ArgumentError, "metrics is 5"),
        ({"metrics": ["recall", 5]}, ArgumentError, "metrics is .'recall', 5"),
        ({"model": None}, ArgumentError, "model is None; give the name"),
        ({"replicates": 0}, ArgumentError, "replicates is 0"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_what_cannot_be_evaluated_says_why(composed, guesses, options, error, said):
    es.upload_predictions(composed, "blind", guesses)
    with pytest.raises(error, match=said):
        es.evaluate(composed, **{"model": "blind", "split": None, **options})
    assert es.history(composed).empty


def test_numbers_of_numpy_are_kept_in_a_report_as_plain_ones(composed, guesses):
    es.upload_predictions(composed, "blind", guesses)
    number = np.int64(es.release(composed).number)
    drawn = {"alpha": np.float32(0.25), "replicates": np.int64(50), "seed": np.int8(3)}
    report = es.evaluate(composed, "blind", split=None, release=number, **drawn)
    kept = es.load_report(composed, 1).provenance
    assert kept == report.provenance
    assert {**drawn, "release": number}.items() <= kept.items()


@pytest.mark.parametrize(
    ("owner", "step"),
    [
        (fo.DatasetView, "evaluate_classifications"),
        (fo.Dataset, "rename_evaluation"),
    ],
)
def test_an_evaluation_that_fiftyone_breaks_off_leaves_the_earlier_one(
    composed, guesses, monkeypatch, owner, step
):
    es.upload_predictions(composed, "blind", guesses)
    es.evaluate(composed, "blind", split=None, eval_key="seen")
    before = composed.values("seen")
    step_taken = getattr(owner, step)

    def broken_off(self, *given, **options):
        if given[:1] == ("seen",):  # the earlier one is put aside
            return step_taken(self, *given, **options)
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, step, broken_off)
    with pytest.raises(KeyboardInterrupt):
        es.evaluate(composed, "blind", split=None, eval_key="seen")
    composed.reload()
    assert composed.list_evaluations() == ["seen"]
    assert composed.values("seen") == before
    es.evaluate(composed.limit(9), "blind", split=None, eval_key="seen")
    assert composed.list_evaluations() == ["seen"]
    assert composed.count("seen") == 9


def test_boxes_of_coco_results_are_evaluated_as_detections(drawn, tmp_path):
    """An image in which a model found nothing has no result, and is compared as well."""
    boxes = [
        fo.Detections(
            detections=[fo.Detection(label="person", bounding_box=[0.1, 0.1, 0.5, 0.5])]
        )
        for _ in range(len(drawn))
    ]
    drawn.set_values("objects", boxes)
    names = [p.rsplit("/", 1)[1] for p in drawn.values("filepath")]
    size = drawn.first().metadata
    annotations = {
        "images": [{"id": n, "file_name": name} for n, name in enumerate(names)],
        "categories": [{"id": 1, "name": "person"}],
    }
    box = [0.1 * size.width, 0.1 * size.height, 0.5 * size.width, 0.5 * size.height]
    results = [
        {"image_id": n, "category_id": 1, "bbox": box, "score": 0.9}
        for n in range(len(names))
    ]
    (tmp_path / "annotations.json").write_text(json.dumps(annotations))
    half = results[::2]
    for model, found in (("half", half), ("whole", results[:-1])):
        (tmp_path / f"{model}.json").write_text(json.dumps(found))
        es.upload_predictions(
            drawn,
            model,
            tmp_path / f"{model}.json",
            classes=tmp_path / "annotations.json",
        )
    report = es.evaluate(drawn, "half", baseline="whole", truth="objects", split=None)
    frame = report.frame.query("population == '(all)'").set_index("metric")
    assert report.provenance["unpredicted"] == len(names) - len(half)
    assert report.provenance["uncompared"] == 0
    assert frame.loc["recall", "baseline"] == pytest.approx(1 - 1 / len(names))
    delta = frame["value"] - frame["baseline"]
    assert frame["delta"].to_numpy() == pytest.approx(delta.to_numpy())
    nowhere = drawn.select([sample.id for sample in drawn][1::2][:-1])
    other = es.evaluate(
        nowhere, "whole", baseline="half", truth="objects", split=None
    ).provenance
    assert other["uncompared"] == len(nowhere)
    value = frame["value"]
    assert value["precision"] == 1
    assert value["recall"] == pytest.approx(len(half) / len(names))
    assert value["map50"] == pytest.approx(0.5, abs=0.02)


def test_boxes_in_whole_pixels_have_the_precision_pycocotools_gives(dataset, tmp_path):
    """Their overlaps are often exactly .5, of shares of the sides as often just below."""
    rng = np.random.default_rng(0)
    n, k = 40, 200
    image = np.sort(rng.integers(0, n, k))
    box = np.column_stack([rng.integers(0, 60, (k, 2)), rng.integers(4, 40, (k, 2))])
    guess = np.maximum(box + rng.integers(-5, 6, (k, 4)), [0, 0, 1, 1])
    sizes = rng.integers(100, 700, (n, 2))
    truth = {
        "images": [{"id": at, "file_name": f"{at}.jpg"} for at in range(n)],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [
            {
                "id": 1 + at,
                "image_id": int(image[at]),
                "category_id": 1,
                "bbox": box[at].tolist(),
                "area": int(box[at, 2:].prod()),
                "iscrowd": 0,
            }
            for at in range(k)
        ],
    }
    results = [
        {
            "image_id": int(image[at]),
            "category_id": 1,
            "bbox": guess[at].tolist(),
            "score": (at * 7919 % k + 1) / (k + 1),
        }
        for at in range(k)
    ]
    (tmp_path / "annotations.json").write_text(json.dumps(truth))
    dataset.add_samples(
        fo.Sample(
            f"/{at}.jpg",
            metadata=fo.ImageMetadata(width=int(width), height=int(height)),
            ground_truth=fo.Detections(
                detections=[
                    fo.Detection(
                        label="person",
                        bounding_box=(b / [width, height, width, height]).tolist(),
                    )
                    for b in box[image == at]
                ]
            ),
        )
        for at, (width, height) in enumerate(sizes)
    )
    classes = tmp_path / "annotations.json"
    es.upload_predictions(dataset, "detector", results, classes=classes)
    report = es.evaluate(dataset, "detector", split=None, metrics=["map", "map50"])
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(classes))
        theirs = COCOeval(coco, coco.loadRes(results), "bbox")
        theirs.evaluate()
        theirs.accumulate()
        theirs.summarize()
    ours = [row.value for row in report.rows]
    assert ours == pytest.approx(theirs.stats[:2].tolist(), abs=1e-12)


def test_a_verdict_on_classes_names_those_that_a_population_lacks(dataset):
    n = 120
    names = ["cat", "dog", "eel"]
    truth = [names[at % 3] for at in range(n)]
    dataset.add_samples(
        [
            fo.Sample(f"/{at}.jpg", at=at, ground_truth=fo.Classification(label=label))
            for at, label in enumerate(truth)
        ]
    )
    bound = es.Requirement("balanced_accuracy", at_least=0.5)
    single = es.Requirement("recall:cat", at_least=0.5)
    es.compose(
        dataset,
        [
            es.Population("pets", "ground_truth <> 'eel'", require=[bound, single]),
            es.Population("all kinds", "at >= 0", require=[bound]),
        ],
    )
    es.upload_predictions(dataset, "right", truth)
    report = es.evaluate(dataset, "right", split=None)
    (told,) = report.provenance["remarks"].values()
    assert told == {
        "balanced_accuracy >= 0.5": "class 'eel' does not occur in it, so "
        "balanced_accuracy says nothing of that"
    }
    assert any("class 'eel' does not occur" in said for said in report.summary)
