import csv
import json
import shutil

import fiftyone as fo
import numpy as np
import pytest

import evalsets as es
from evalsets.errors import ArgumentError, QueryError, UnknownNameError

pytestmark = pytest.mark.db

ROAD = "text('a windy road') > 0.1"
NEARLY = 0.75  # proposals are random; one calibration of ten may miss a little
TRUTH = "ground_truth = 'windy road'"


@pytest.fixture(scope="module")
def embedded(world, labels, encoder):
    """The drawn world with its vectors."""
    dataset = es.sync(world, "calibrate", labels=labels)
    es.embed(dataset, encoder)
    yield dataset
    dataset.delete()


@pytest.fixture
def roads(embedded):
    """A copy of it with a population that was cut where nobody looked."""
    copy = embedded.clone(persistent=True)
    es.compose(copy, es.Population("windy road", ROAD, holdout=0.2))
    yield copy
    copy.delete()


def judge(view):
    """What somebody says who knows."""
    return {s.id: s.ground_truth.label == "windy road" for s in view}


def precision_of(dataset, name="windy road"):
    labels = es.select(dataset, population=name).values("ground_truth.label")
    return sum(label == "windy road" for label in labels) / len(labels)


def test_judging_what_is_proposed_sets_a_cut_of_the_wanted_precision(roads):
    view = es.calibrate(roads, "windy road", n=50)
    assert len(view) == 50
    found = es.calibrate(roads, "windy road", answers=judge(view), precision=0.8)
    assert found.proposed
    assert found.answers == 50
    assert found.wanted == 0.8 <= found.precision_interval[0] <= found.precision
    assert found.n == len(es.select(roads, population="windy road"))
    assert found.before == (0.1, len(es.search(roads, ROAD)))
    assert f"(was {found.before[1]:,})" in str(found)
    assert precision_of(roads) >= NEARLY * 0.8
    population = es.populations(roads)["windy road"]
    assert population.query == f"text('a windy road') > {found.threshold:g}"
    assert population.holdout == 0.2
    assert es.calibrations(roads) == {"windy road": found}


def test_proposing_again_goes_on_where_judging_stopped(roads):
    first = es.calibrate(roads, "windy road", n=30)
    assert es.calibrate(roads, "windy road", n=30).values("id") == first.values("id")
    assert len(es.calibrate(roads, "windy road", n=40)) == 40
    es.calibrate(roads, "windy road", n=30)
    some = dict.fromkeys(first.values("id")[:10], False)
    with pytest.raises(ArgumentError, match="No cut of text"):
        es.calibrate(roads, "windy road", answers=some)
    rest = es.calibrate(roads, "windy road", n=99)
    assert rest.values("id") == first.values("id")[10:]


def test_a_second_round_proposes_others_and_earlier_answers_stay(roads):
    first = es.calibrate(roads, "windy road", n=40)
    one = es.calibrate(roads, "windy road", answers=judge(first), precision=0.6)
    second = es.calibrate(roads, "windy road", n=40)
    assert not set(first.values("id")) & set(second.values("id"))
    two = es.calibrate(roads, "windy road", answers=judge(second), precision=0.6)
    assert (one.answers, two.answers) == (40, 80)
    assert two.n >= one.n
    assert precision_of(roads) >= NEARLY * 0.6


def test_a_later_answer_replaces_an_earlier_one(roads):
    everything = judge(roads)
    right = es.calibrate(roads, "windy road", answers=everything)
    wrong = {i: False for i, belongs in everything.items() if belongs}
    with pytest.raises(ArgumentError, match=r"the best is 0\.00"):
        es.calibrate(roads, "windy road", answers=wrong)
    assert es.calibrations(roads) == {"windy road": right}
    assert es.calibrate(roads, "windy road", answers=everything) == right


def test_answers_may_come_from_a_field(roads):
    by_dict = es.calibrate(roads, "windy road", answers=judge(roads))
    es.remove(roads, "windy road")
    es.compose(roads, es.Population("windy road", ROAD))
    assert es.calibrate(roads, "windy road", answers=TRUTH) == by_dict
    roads.add_sample_field("is_windy", fo.BooleanField)
    roads.set_values("is_windy", judge(roads), key_field="id")
    es.remove(roads, "windy road")
    es.compose(roads, es.Population("windy road", ROAD))
    assert es.calibrate(roads, "windy road", answers="is_windy") == by_dict
    ids = roads.values("id")
    scores = dict(zip(ids, roads.values(_field(roads)), strict=True))
    order = sorted(ids, key=lambda i: -scores[i])
    share = np.cumsum([judge(roads)[i] for i in order]) / np.arange(1, len(ids) + 1)
    assert by_dict.n == np.flatnonzero(share >= 0.9)[-1] + 1


def _field(dataset):
    (name,) = (n for n in dataset.get_field_schema() if n.startswith("similar_"))
    return name


def test_answers_in_a_view_are_those_of_the_view(roads):
    view = es.calibrate(roads, "windy road", n=50)
    found = es.calibrate(view, "windy road", answers=TRUTH, precision=0.8)
    assert found.answers == 50


def test_the_rest_of_a_query_stays_as_it_is(roads):
    query = "num_people < 3 AND text('a windy road') >= 0.1 AND ground_truth <> 'x'"
    es.compose(roads, es.Population("windy road", query))
    view = es.calibrate(roads, "windy road", n=30)
    assert max(view.values("num_people")) < 3
    found = es.calibrate(roads, "windy road", answers=TRUTH)
    changed = es.populations(roads)["windy road"].query
    assert changed == query.replace("0.1", f"{found.threshold:g}")
    assert precision_of(roads) >= 0.9


def test_a_cut_from_above_is_calibrated_too(roads):
    es.compose(roads, es.Population("no road", "NOT text('a windy road') > 0.9"))
    found = es.calibrate(roads, "no road", answers=f"NOT {TRUTH}")
    labels = es.select(roads, population="no road").values("ground_truth.label")
    assert sum(label != "windy road" for label in labels) / len(labels) >= 0.9
    assert len(labels) == found.n > 90
    assert found.threshold < 0.9


def test_one_of_several_similarities_is_named(roads):
    query = "text('a windy road') > 0.1 AND NOT text('trees') > 0.9"
    es.compose(roads, es.Population("windy road", query))
    with pytest.raises(ArgumentError, match="cuts several"):
        es.calibrate(roads, "windy road")
    for term in ("a windy road", "text('a windy road')"):
        found = es.calibrate(roads, "windy road", answers=TRUTH, term=term)
    assert found.term == "text('a windy road')"
    assert "text('trees') > 0.9" in es.populations(roads)["windy road"].query
    with pytest.raises(ArgumentError, match="nowhere"):
        es.calibrate(roads, "windy road", term="a windy roda")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("num_people > 5", "no similarity"),
        ("RANK(text('a windy road')) <= 20", "by rank"),
        ("text('a windy road') > 0.2 OR num_people > 5", "by itself"),
        ("text('a windy road') - text('trees') > 0.1", "by itself"),
        ("text('a windy road') > 0.2 AND text('a windy road') < 0.5", "several"),
        ("population('windy road')", "no similarity"),
    ],
)
def test_a_query_without_one_clear_cut_is_refused(roads, query, said):
    es.compose(roads, es.Population("p", query))
    with pytest.raises(ArgumentError, match=said):
        es.calibrate(roads, "p")


def test_without_a_precise_cut_the_population_stays_and_the_answers_are_kept(roads):
    before = es.populations(roads), es.membership(roads)
    with pytest.raises(ArgumentError, match=r"the best is .* at .*, with") as caught:
        es.calibrate(roads, "windy road", answers="num_people > 99")
    assert "\n" not in str(caught.value)
    assert es.populations(roads) == before[0]
    assert es.membership(roads).equals(before[1])
    assert es.calibrations(roads) == {"windy road": None}
    with pytest.raises(ArgumentError, match="117 answers"):
        es.calibrate(roads, "windy road", answers={})


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"answers": {"nope": True}}, UnknownNameError, "sample 'nope'"),
        ({"answers": ["a"]}, ArgumentError, "dict"),
        ({"answers": "wether = 'x'"}, QueryError, "weather|wether"),
        ({"answers": {}}, ArgumentError, "Nobody has judged a sample"),
        ({"precision": 0}, ArgumentError, "precision"),
        ({"precision": 1.5}, ArgumentError, "precision"),
        ({"n": 0}, ArgumentError, "at least 1"),
    ],
)
def test_wrong_arguments_are_refused(roads, given, error, said):
    with pytest.raises(error, match=said):
        es.calibrate(roads, "windy road", **given)
    assert roads.list_runs(method="evalsets/answers") == []


def test_an_answer_is_true_or_false(roads):
    for answer in (None, 1, "yes"):
        with pytest.raises(ArgumentError, match="True or False"):
            es.calibrate(roads, "windy road", answers={roads.first().id: answer})


def test_an_unknown_population_is_named(roads):
    with pytest.raises(UnknownNameError, match="did you mean 'windy road'"):
        es.calibrate(roads, "windy raod")


def test_a_calibration_holds_until_the_query_or_the_encoder_changes(
    roads, encoder, tmp_path
):
    found = es.calibrate(roads, "windy road", answers=TRUTH)
    population = es.populations(roads)["windy road"]
    es.compose(roads, es.Population("windy road", population.query, holdout=0.5))
    roads.add_sample(fo.Sample("/new.jpg"))
    assert es.calibrations(roads) == {"windy road": found}

    es.compose(roads, es.Population("windy road", ROAD))
    assert es.calibrations(roads) == {"windy road": None}
    es.compose(roads, population)
    assert es.calibrations(roads) == {"windy road": None}

    es.calibrate(roads, "windy road", answers={})
    assert es.calibrations(roads)["windy road"] is not None
    other = tmp_path / "other"
    shutil.copytree(encoder, other)
    config = json.loads((other / "open_clip_config.json").read_text())
    config["preprocess_cfg"]["mean"] = [0.4, 0.4, 0.4]
    (other / "open_clip_config.json").write_text(json.dumps(config))
    es.embed(roads, str(other), overwrite=True)
    assert es.calibrations(roads) == {"windy road": None}
    es.compose(roads, population)
    assert es.calibrations(roads) == {"windy road": None}
    assert es.calibrate(roads, "windy road", answers={}).answers == 117


def test_a_calibration_holds_for_what_the_query_refers_to(roads):
    es.compose(
        roads,
        [
            es.Population("few", "num_people < 3"),
            es.Population("p", "text('a windy road') > 0.1 AND population('few')"),
        ],
    )
    es.calibrate(roads, "p", answers=TRUTH)
    assert es.calibrations(roads)["p"] is not None
    es.compose(roads, es.Population("few", "num_people < 30"))
    assert es.calibrations(roads) == {"windy road": None, "p": None}


def test_removing_a_population_forgets_its_answers(roads):
    es.calibrate(roads, "windy road", answers=TRUTH)
    es.remove(roads, "windy road")
    assert roads.list_runs(method="evalsets/answers") == []
    es.compose(roads, es.Population("windy road", ROAD))
    with pytest.raises(ArgumentError, match="Nobody has judged a sample"):
        es.calibrate(roads, "windy road", answers={})


def test_an_interrupted_calibration_loses_no_answer(roads, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("evalsets.api.calibrate.write_populations", _stop)
        with pytest.raises(KeyboardInterrupt):
            es.calibrate(roads, "windy road", answers=TRUTH)
    assert es.calibrations(roads) == {"windy road": None}
    assert es.calibrate(roads, "windy road", answers={}).answers == 117


def _stop(*_):
    raise KeyboardInterrupt


def test_when_everything_is_judged_there_is_nothing_to_propose(roads):
    es.calibrate(roads, "windy road", answers=TRUTH)
    with pytest.raises(ArgumentError, match="judged"):
        es.calibrate(roads, "windy road")


def test_a_shell_prints_what_to_judge_and_reads_it_back(roads, tmp_path):
    from typer.testing import CliRunner

    from evalsets.cli import app

    def run(*arguments):
        done = CliRunner().invoke(app, [*map(str, arguments)])
        assert done.exception is None, done.output
        return done.output

    truth = judge(roads)
    printed = run("calibrate", roads.name, "windy road", "--n", 40)
    rows = list(csv.DictReader(printed.splitlines()))
    assert len(rows) == 40
    assert "uncalibrated" in run("populations", roads.name)
    with (tmp_path / "judged.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "belongs"])
        table.writerows((r["id"], "Yes" if truth[r["id"]] else "no") for r in rows)
    judged = ("--answers", tmp_path / "judged.csv", "--precision", 0.6)
    assert "precision" in run("calibrate", roads.name, "windy road", *judged)
    found = es.calibrations(roads)["windy road"]
    assert found.answers == 40
    assert f"{found.precision:.2f} [" in run("populations", roads.name)
    assert "117 answers" in run("calibrate", roads.name, "windy road", "--where", TRUTH)
    (tmp_path / "judged.csv").write_text(f"id,belongs\n{rows[0]['id']},maybe\n")
    done = CliRunner().invoke(
        app, ["calibrate", roads.name, "windy road", *map(str, judged)]
    )
    assert "'maybe'; write yes or no" in str(done.exception)
    (tmp_path / "judged.csv").write_text(f"id,belongs\n{rows[0]['id']},\n")
    done = CliRunner().invoke(
        app, ["calibrate", roads.name, "windy road", *map(str, judged)]
    )
    assert "no answer in its column belongs" in str(done.exception)


def test_a_report_names_the_uncalibrated_populations(roads):
    labels = {i: roads[i].ground_truth.label for i in roads.values("id")}
    es.upload_predictions(roads, "m", labels, key="id")
    assert "uncalibrated" in es.evaluate(roads, "m", split=None).to_text()
    es.calibrate(roads, "windy road", answers=TRUTH)
    assert "uncalibrated" not in es.evaluate(roads, "m", split=None).to_text()


@pytest.mark.shared
@pytest.mark.slow
def test_the_precision_of_real_photographs_is_as_promised(shared, dataset, tmp_path):
    """Three prompts on photographs nobody tuned for, through the public names."""
    folder = shared / "data" / "imagenette160"
    with (folder / "labels.csv").open() as file:
        label = {row["file"]: row["label"] for row in csv.DictReader(file)}
    paths = sorted(p for p in folder.rglob("*.JPEG") if p.name in label)[::6]
    dataset.add_samples(
        fo.Sample(str(p), ground_truth=fo.Classification(label=label[p.name]))
        for p in paths
    )
    es.embed(dataset, _local(shared / "models" / "tinyclip_lit_mnv2", tmp_path))
    for name in ("tench", "garbage truck", "golf ball"):
        es.compose(dataset, es.Population(name, f"text('{name}') > 0.2"))
        view = es.calibrate(dataset, name, n=60)
        truth = dict(zip(*view.values(["id", "ground_truth.label"]), strict=True))
        judged = {i: label == name for i, label in truth.items()}
        found = es.calibrate(dataset, name, answers=judged, precision=0.8)
        labels = es.select(dataset, population=name).values("ground_truth.label")
        assert np.mean([label == name for label in labels]) >= NEARLY * 0.8
        assert found.recall_interval[0] <= found.recall <= found.recall_interval[1]


def _local(model, folder):
    """A copy of the model whose tokenizer is found from anywhere."""
    copy = folder / "clip"
    copy.mkdir()
    for file in model.iterdir():
        shutil.copyfile(file, copy / file.name)
    path = copy / "open_clip_config.json"
    config = json.loads(path.read_text())
    words = config["model_cfg"]["text_cfg"]["tokenizer_kwargs"]
    words["bpe_path"] = str(copy / words["bpe_path"])
    path.write_text(json.dumps(config))
    return str(copy)
