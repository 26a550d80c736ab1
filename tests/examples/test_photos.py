"""The journey of ``examples/photos.py`` on real photographs, against other people's figures."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
pytestmark = [pytest.mark.db, pytest.mark.shared, pytest.mark.slow]


@pytest.fixture(scope="module")
def run():
    """Runs the script as a command line would; gives its exit code and transcript."""
    import fiftyone as fo

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        import photos

        def run_photos(dataset, *argv):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                code = photos.main(["--dataset", dataset, *map(str, argv)])
            return code, out.getvalue()

        yield run_photos
    for name in ("mixed", "cifar", "coco"):
        if fo.dataset_exists(name):
            fo.delete_dataset(name)


def _copied(folder, files):
    """A folder with copies of some files, each below the name of its own folder."""
    for file in files:
        copy = folder / file.parent.name / file.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    return folder


def _share(values):
    values = list(values)
    return sum(values) / len(values)


# --- photographs of three sources, found by words ---------------------------------


@pytest.fixture(scope="module")
def mixed(run, shared, tmp_path_factory):
    """Imagenette, then Caltech, then Flickr, in one growing dataset."""
    import evalsets as es

    root, data = tmp_path_factory.mktemp("mixed"), shared / "data"
    labels = pd.read_csv(data / "imagenette160/labels.csv")
    some = labels.sort_values("file").groupby("label").head(30)
    images = data / "imagenette160/images"
    files = [images / name for name in [*some["file"], "bad_image.JPEG"]]
    first = _copied(root / "imagenette", files)
    some[["file", "label"]].to_csv(root / "labels.csv", index=False)
    every_fifth = sorted((data / "caltech101-part").glob("*/*.jpg"))[::5]
    second = _copied(root / "caltech", every_fifth)
    flickr = sorted((data / "flickr8k-part/images").glob("*.jpg"))[:250]
    third = _copied(root / "flickr", flickr)

    encoder = ("--encoder", shared / "models/tinyclip_lit_mnv2")
    dogs = ("--population", "dogs=text('a dog') > 0.2@0.4")
    code, said = run(
        "mixed", "--images", first, "--labels", root / "labels.csv", *encoder, *dogs
    )
    assert code == 0, said
    before = es.select("mixed", split="test").values("id")
    for images, labels in ((second, "folders"), (third, None)):
        given = ("--labels", labels) if labels else ()
        code, said = run("mixed", "--images", images, *given, *encoder, *dogs)
        assert code == 0, said
    return {
        "before": before,
        "said": said,
        "captions": _captions(data / "flickr8k-part/captions.csv"),
        "n": len(some) + len(every_fifth) + len(flickr),
    }


def _captions(path):
    found = {}
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["file"], []).append(row["caption"].lower())
    return found


def _source(name):
    import fiftyone as fo

    return fo.load_dataset("mixed").match(
        fo.ViewField("filepath").contains_str(f"/{name}/")
    )


def test_the_broken_photograph_is_left_out_and_the_others_are_there(mixed):
    import fiftyone as fo

    dataset = fo.load_dataset("mixed")
    assert len(dataset) == mixed["n"]
    assert len(set(dataset.values("filepath"))) == mixed["n"]
    assert not any("bad_image" in path for path in dataset.values("filepath"))
    assert None not in dataset.values("brightness")


def _precision_at_20(label, prompt):
    import evalsets as es

    query = f"SELECT * FROM dataset ORDER BY text('{prompt}') DESC LIMIT 20"
    found = es.search(_source("imagenette"), query).values("ground_truth.label")
    return _share(name == label for name in found)


def test_the_name_of_a_class_finds_its_photographs(mixed):
    labels = set(_source("imagenette").values("ground_truth.label"))
    assert len(labels) == 10
    found = {label: _precision_at_20(label, f"a {label}") for label in labels}
    assert _share(found.values()) >= 0.8, found  # by chance 0.1
    assert min(found.values()) >= 0.6, found


@pytest.mark.parametrize(
    ("label", "prompt"),
    [("English springer", "a dog"), ("tench", "a fish"), ("garbage truck", "a truck")],
)
def test_a_wider_word_finds_them_too(mixed, label, prompt):
    assert _precision_at_20(label, prompt) >= 0.8


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a dog", "dog|dogs|puppy"),
        ("a man riding a bike", "bike|bicycle|biker|bicyclist"),
    ],
)
def test_words_find_photographs_whose_captions_say_them(mixed, prompt, words):
    import evalsets as es

    flickr = _source("flickr")
    says = {
        name: any(re.search(rf"\b({words})\b", text) for text in texts)
        for name, texts in mixed["captions"].items()
    }
    query = f"SELECT * FROM dataset ORDER BY text('{prompt}') DESC LIMIT 10"
    found = [says[Path(p).name] for p in es.search(flickr, query).values("filepath")]
    chance = _share(says[Path(p).name] for p in flickr.values("filepath"))
    assert _share(found) >= max(0.7, 2 * chance)


def test_photographs_that_came_later_enter_the_population(mixed):
    import evalsets as es

    dogs = es.select("mixed", population="dogs")
    labels = dogs.values("ground_truth.label")
    assert labels.count("dalmatian") >= 1  # a class of Caltech only
    assert any("/flickr/" in path for path in dogs.values("filepath"))


def test_no_photograph_left_the_test_side_as_the_data_grew(mixed):
    import evalsets as es

    assert set(mixed["before"]) <= set(es.select("mixed", split="test").values("id"))
    frame = es.coverage("mixed").frame
    assert (frame["holdout_got"] >= frame["holdout_asked"]).all()
    assert frame.loc["dogs", "holdout_asked"] == 0.4


# --- 5,000 photographs and the published predictions of two networks ---------------


@pytest.fixture(scope="module")
def cifar(run, shared, tmp_path_factory):
    """The evaluation of ResNet56 against ResNet20, and the files it came from."""
    import evalsets as es

    data = shared / "data/cifar10-test"
    html = tmp_path_factory.mktemp("cifar") / "report.html"
    models = [f"resnet{n}={data}/predictions_resnet{n}.csv" for n in (20, 56)]
    code, said = run(
        "cifar",
        *("--images", data / "images", "--labels", data / "labels.csv"),
        *("--predictions", models[0], "--predictions", models[1]),
        *("--baseline", "resnet20", "--split", "all"),
        *("--require", "accuracy drop <= 0", "--report", html),
        *("--population", "automobile=ground_truth = 'automobile'"),
    )
    table = pd.read_csv(data / "labels.csv").set_index("file")
    for n in (20, 56):
        read = pd.read_csv(data / f"predictions_resnet{n}.csv").set_index("file")
        table[f"right{n}"] = read["prediction"] == table["label"]
    (number,) = es.history("cifar").index
    report = es.load_report("cifar", number)
    return {"code": code, "said": said, "html": html, "table": table, "report": report}


def _rows(cifar, metric="accuracy"):
    frame = cifar["report"].frame
    return frame[frame["metric"] == metric].set_index("population")


def _members(cifar, population):
    """Rows of the table that are in a population, told from the files alone."""
    import fiftyone as fo

    table = cifar["table"]
    if population == "(all)":
        return table
    if population != "dark":
        return table[table["label"] == population]
    dataset = fo.load_dataset("cifar")
    files = [Path(path).name for path in dataset.values("filepath")]
    brightness = pd.Series(dataset.values("brightness"), index=files)
    cut = round(float(np.quantile(brightness, 0.25)), 3)
    return table[(brightness < cut).reindex(table.index)]


def test_accuracies_are_those_that_numpy_counts(cifar):
    rows = _rows(cifar)
    assert len(rows) == 6  # all, dark, the three largest classes, automobile
    for name, row in rows.iterrows():
        members = _members(cifar, name)
        assert row["n"] == len(members), name
        assert row["value"] == pytest.approx(members["right56"].mean(), abs=1e-12)
        assert row["baseline"] == pytest.approx(members["right20"].mean(), abs=1e-12)
    assert rows.loc["(all)", "n"] == 5000
    # over all 10,000 images they reach .8103 and .8320
    assert rows.loc["(all)", "baseline"] == pytest.approx(0.8103, abs=0.01)
    assert rows.loc["(all)", "value"] == pytest.approx(0.8320, abs=0.01)


def test_the_log_loss_is_that_of_scikit_learn(cifar, shared):
    from sklearn.metrics import log_loss

    row = _rows(cifar, "log_loss").loc["(all)"]
    for n, column in ((56, "value"), (20, "baseline")):
        path = shared / f"data/cifar10-test/predictions_resnet{n}.csv"
        classes = sorted(set(cifar["table"]["label"]))
        probability = pd.read_csv(path).set_index("file")[classes]
        probability = probability.loc[cifar["table"].index].to_numpy()
        with pytest.warns(UserWarning, match="sum to one"):  # four decimals
            theirs = log_loss(cifar["table"]["label"], probability, labels=classes)
        assert row[column] == pytest.approx(theirs, rel=1e-9)


def test_the_gain_is_the_paired_one_and_its_interval_a_bootstrap_agrees_with(cifar):
    rng = np.random.default_rng(0)
    for name, row in _rows(cifar).iterrows():
        members = _members(cifar, name)
        change = members["right56"].to_numpy(float) - members["right20"].to_numpy(float)
        assert row["delta"] == pytest.approx(change.mean(), abs=1e-12)
        drawn = rng.choice(change, (2000, len(change))).mean(axis=1)
        low, high = np.quantile(drawn, [0.025, 0.975])
        assert row["delta_low"] == pytest.approx(low, abs=0.006), name
        assert row["delta_high"] == pytest.approx(high, abs=0.006), name


def test_verdicts_are_those_of_mcnemar_and_holm_in_scipy_and_statsmodels(cifar):
    from scipy.stats import binomtest
    from statsmodels.stats.multitest import multipletests

    rows = _rows(cifar).drop(index="(all)")
    better, worse = [], []
    for name in rows.index:
        members = _members(cifar, name)
        gained = int((members["right56"] & ~members["right20"]).sum())
        lost = int((members["right20"] & ~members["right56"]).sum())
        both = gained + lost
        better.append(binomtest(gained, both, alternative="greater").pvalue)
        worse.append(binomtest(lost, both, alternative="greater").pvalue)
    met = multipletests(better, method="holm")[1]
    missed = multipletests(worse, method="holm")[1]
    for at, (name, row) in enumerate(rows.iterrows()):
        expected = met[at] if better[at] <= worse[at] else missed[at]
        assert row["p_adjusted"] == pytest.approx(expected, rel=1e-9), name
        verdict = "inconclusive"
        verdict = "pass" if met[at] <= 0.05 else verdict
        verdict = "fail" if missed[at] <= 0.05 else verdict
        assert row["verdict"] == verdict, name


def test_the_transcript_and_the_page_say_what_the_report_says(cifar):
    report = cifar["report"]
    assert cifar["code"] == report.exit_code
    assert report.headline in cifar["said"]
    assert "deer" in cifar["html"].read_text(encoding="utf-8")


# --- boxes: published detections, and a detector that runs here ---------------------


@pytest.fixture(scope="module")
def coco(run, shared):
    """The evaluation of YOLOX against FastestDet, with people counted by YOLOX."""
    import evalsets as es

    data = shared / "data/coco128-train2017"
    truth = data / "annotations_coco.json"
    code, said = run(
        "coco",
        *("--images", data / "images", "--labels", truth),
        *("--people", shared / "models/yolox_nano.onnx"),
        *("--predictions", f"fastestdet={data / 'detections_fastestdet.json'}"),
        *("--predictions", f"yolox={data / 'detections_yolox.json'}"),
        *("--baseline", "fastestdet", "--split", "all"),
    )
    (number,) = es.history("coco").index
    return {"code": code, "said": said, "report": es.load_report("coco", number)}


def _pycocotools(truth, results):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO(str(truth))
        scored = COCOeval(known, known.loadRes(str(results)), "bbox")
        scored.evaluate()
        scored.accumulate()
        scored.summarize()
    return scored.stats[:2]


def test_average_precisions_are_those_of_pycocotools(coco, shared):
    data = shared / "data/coco128-train2017"
    frame = coco["report"].frame
    rows = frame[frame["population"] == "(all)"].set_index("metric")
    for model, column in (("yolox", "value"), ("fastestdet", "baseline")):
        theirs = _pycocotools(
            data / "annotations_coco.json", data / f"detections_{model}.json"
        )
        assert rows.loc["map", column] == pytest.approx(theirs[0], abs=1e-6)
        assert rows.loc["map50", column] == pytest.approx(theirs[1], abs=1e-6)
    assert rows.loc["map", "baseline"] == pytest.approx(0.186, abs=0.002)
    assert rows.loc["map50", "baseline"] == pytest.approx(0.327, abs=0.002)


def test_people_are_counted_right_on_two_photographs_of_three(coco, shared):
    import fiftyone as fo

    table = pd.read_csv(shared / "data/coco128-train2017/people_count.csv")
    true = table.set_index("file")["people"]
    paths, counted = fo.load_dataset("coco").values(["filepath", "num_people"])
    exact = [n == true[Path(p).name] for p, n in zip(paths, counted, strict=True)]
    assert len(exact) == 128
    assert 0.66 <= _share(exact) <= 0.76  # 69 % with another decoder of the same file


def test_the_detector_finds_what_was_published_of_it(coco, shared):
    import fiftyone as fo
    from PIL import Image
    from yolox import Yolox

    import evalsets as es

    dataset = fo.load_dataset("coco")
    detector = Yolox(shared / "models/yolox_nano.onnx")
    found = {
        path: detector.predict(np.asarray(Image.open(path).convert("RGB")))
        for path in dataset.values("filepath")
    }
    es.upload_predictions(dataset, "here", found)
    report = es.evaluate(
        dataset,
        "here",
        baseline="yolox",
        split=None,
        metrics=["map", "map50"],
        replicates=50,
    )
    whole = report.frame.query("population == '(all)'")
    assert whole["delta"].abs().max() < 0.002
