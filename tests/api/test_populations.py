import subprocess
import sys
from dataclasses import replace

import fiftyone as fo
import pytest

import evalsets as es
from evalsets.api import populations
from evalsets.datasets.populations import save_population_views
from evalsets.errors import (
    ArgumentError,
    NameTakenError,
    NoVectorsError,
    QueryError,
    UnknownNameError,
)

pytestmark = pytest.mark.db
NIGHT = es.Population("at night", "time = 'night'", holdout=0.2)


def test_a_population_is_a_saved_view_that_new_samples_enter(drawn):
    view = es.compose(drawn, NIGHT)
    assert set(view.values("time")) == {"night"}
    drawn.add_sample(fo.Sample("/new.jpg", time="night"))
    assert (
        len(drawn.load_saved_view("at night"))
        == len(view)
        == len(es.search(drawn, NIGHT.query))
    )


def test_a_population_reads_as_it_was_composed(drawn):
    full = es.Population(
        "busy",
        "num_people > 3",
        holdout=0.5,
        require=[es.Requirement("accuracy", at_least=0.9)],
        min_size=20,
        description="many people",
        owner="perception",
    )
    es.compose(drawn, [NIGHT, full])
    assert es.populations(drawn.name) == {"at night": NIGHT, "busy": full}


def test_redefining_a_population_changes_those_that_refer_to_it(drawn):
    quiet = es.Population("quiet", "NOT population('busy')")
    es.compose(drawn, [es.Population("busy", "num_people > 3"), quiet])
    es.compose(drawn, es.Population("busy", "num_people > 0"))
    empty = {s.id for s in drawn if s.num_people == 0}
    frame = es.membership(drawn)
    assert set(frame.index[frame["quiet"]]) == empty
    assert set(drawn.load_saved_view("quiet").values("id")) == empty


def test_more_populations_than_a_number_has_bits_keep_their_members(drawn):
    made = [es.Population(f"p{k}", f"num_people >= {k % 7}") for k in range(130)]
    es.compose(drawn, made)
    frame = es.membership(drawn)
    people = dict(zip(*drawn.values(["id", "num_people"]), strict=True))
    for k in (0, 5, 61, 62, 63, 123, 124, 129):
        expected = [people[i] >= k % 7 for i in frame.index]
        assert frame[f"p{k}"].tolist() == expected


def test_membership_agrees_with_each_view(drawn):
    suite = [NIGHT, es.Population("few", "num_people BETWEEN 1 AND 2")]
    views = es.compose(drawn, suite)
    frame = es.membership(drawn)
    assert sorted(frame.index) == sorted(drawn.values("id"))
    for population, view in zip(suite, views, strict=True):
        inside = frame.index[frame[population.name]]
        assert sorted(inside) == sorted(view.values("id"))


def test_a_requirement_on_an_unknown_metric_is_refused(drawn):
    wrong = es.Requirement("acuracy", at_least=1)
    with pytest.raises(UnknownNameError, match=r"'p'.*did you mean 'accuracy'"):
        es.compose(drawn, es.Population("p", "num_people > 1", require=wrong))
    assert es.populations(drawn) == {}


def test_a_drop_that_can_never_be_missed_is_refused(drawn):
    for metric, drop in (("accuracy", 5), ("f1", 1), ("recall:cat", 1.5)):
        any_drop = es.Requirement(metric, max_drop=drop)
        with pytest.raises(ArgumentError, match="can never be missed"):
            es.compose(drawn, replace(NIGHT, require=(any_drop,)))
    es.compose(drawn, replace(NIGHT, require=(es.Requirement("mae", max_drop=5),)))


def test_a_band_is_no_bound_the_wrong_way_round(drawn, caplog):
    band = [es.Requirement("accuracy", at_least=0.7)]
    band.append(es.Requirement("accuracy", at_most=0.8))
    es.compose(drawn, replace(NIGHT, require=band))
    assert "worse models" not in caplog.text


@pytest.mark.parametrize(
    ("required", "meant"),
    [
        ("accuracy <= 0.9", "accuracy >= 0.9"),
        ("mae >= 2", "mae <= 2"),
        ("accuracy >= 0.9", ""),
        ("mae <= 2", ""),
        ("mae drop <= 2", ""),
        ("mean <= 2", ""),  # less of a score may be better
    ],
)
def test_a_bound_the_wrong_way_round_is_warned_of(drawn, caplog, required, meant):
    requirement = es.Requirement.parse(required)
    es.compose(drawn, replace(NIGHT, require=requirement))
    assert es.populations(drawn)["at night"].require == (requirement,)
    said = [r.getMessage() for r in caplog.records if "worse models" in r.getMessage()]
    assert said == (
        [
            f"'{required}' of population 'at night' is met by the worse models; write "
            f"'{meant}' if that is meant"
        ]
        if meant
        else []
    )


@pytest.mark.parametrize(
    ("bound", "written"),
    [
        ({"at_least": 90}, "accuracy >= 0.9"),
        ({"at_most": 2}, "accuracy <= 0.02"),
        ({"max_drop": 5}, "accuracy drop <= 0.05"),
        ({"at_least": -0.1}, "give a bound in it"),
    ],
)
def test_a_bound_in_percent_is_refused_with_the_share(drawn, bound, written):
    wrong = es.Requirement("accuracy", **bound)
    with pytest.raises(ArgumentError, match=written):
        es.compose(drawn, replace(NIGHT, require=wrong))
    assert es.populations(drawn) == {}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("time = 'nihgt'", "\"time\" = 'nihgt'; did you mean 'night'?"),
        ("num_people > 1 OR NOT time IN ('night', 'nigth')", "\"time\" = 'nigth'; did"),
        (
            "ground_truth = 'Bridge'",
            "ground_truth.label = 'Bridge'; did you mean 'bridge'",
        ),
        ("filepath = 'x'", "filepath = 'x'; look at its values"),
        ("time = 'night' AND time <> 'nihgt' AND 'night' = time", ""),
        ("time = LOWER('NIHGT')", ""),
    ],
)
def test_a_text_that_no_sample_has_is_named(drawn, caplog, query, said):
    es.compose(drawn, es.Population("p", query))
    assert list(es.populations(drawn)) == ["p"]
    assert (f"No sample has {said}" in caplog.text) if said else not caplog.text


def test_a_text_is_looked_for_among_long_ones(dataset):
    long = "x" * 12_000  # of all of them MongoDB would not answer at once
    dataset.add_samples(
        [fo.Sample(f"/{n}.png", ocr_text=f"{n} {long}") for n in range(1_500)]
    )
    es.compose(dataset, es.Population("read", "ocr_text = 'total'"))
    assert list(es.populations(dataset)) == ["read"]


def test_a_text_is_looked_for_among_those_of_other_alphabets(dataset):
    """A value that is cut is cut between letters, however many bytes these take."""
    dataset.add_samples(
        [fo.Sample(f"/{n}.png", ocr_text="x" * n + "\u00e9" * 120) for n in range(4)]
    )
    es.compose(dataset, es.Population("read", "ocr_text = 'total'"))
    assert list(es.populations(dataset)) == ["read"]


def test_a_population_of_no_samples_has_no_members(dataset):
    dataset.add_sample_field("weather", fo.StringField)
    es.compose(dataset, es.Population("p", "weather <> 'x'"))
    assert es.membership(dataset).shape == (0, 1)
    assert es.coverage(dataset).gaps == ["'p' is empty"]


def test_removing_a_population_leaves_nothing_of_it(drawn):
    es.compose(drawn, NIGHT)
    es.remove(drawn, "at night")
    assert es.populations(drawn) == {}
    assert drawn.list_saved_views() == []
    assert drawn.list_runs(method="evalsets/population") == []


def test_a_population_in_use_is_not_removed(drawn):
    es.compose(drawn, [NIGHT, es.Population("day", "NOT population('at night')")])
    with pytest.raises(ArgumentError, match="used by 'day'"):
        es.remove(drawn, "at night")
    assert set(es.populations(drawn)) == {"at night", "day"}


@pytest.mark.parametrize(
    ("population", "error", "said"),
    [
        (("a", "wether = 'x'"), QueryError, "wether"),
        (("a", "time = "), QueryError, "position"),
        (("a", "population('b')"), QueryError, "No population 'b'"),
        (("a", "population('a')"), QueryError, "a"),
        (("a", "num_people > 'x'"), QueryError, "number"),
        (
            ("a", "SELECT * FROM dataset WHERE num_people > 1 LIMIT 3"),
            ArgumentError,
            "RANK",
        ),
        (("a", "text('a road') > 0.2"), NoVectorsError, "embed"),
        (("///", "num_people > 1"), ArgumentError, "cannot name"),
        (("mine", "num_people > 1"), NameTakenError, "saved view"),
        (("MINE!", "num_people > 1"), NameTakenError, "'mine'"),
    ],
)
def test_what_cannot_be_composed_is_refused_and_nothing_written(
    drawn, population, error, said
):
    drawn.save_view("mine", drawn.limit(3))
    with pytest.raises(error, match=said):
        es.compose(drawn, [NIGHT, es.Population(*population)])
    assert es.populations(drawn) == {}
    assert drawn.list_saved_views() == ["mine"]


def test_a_population_whose_field_is_gone_is_stale_and_empty_not_everything(drawn):
    es.compose(drawn, [NIGHT, es.Population("busy", "num_people > 3")])
    drawn.rename_sample_field("num_people", "people")
    stale = es.refresh(drawn)
    assert list(stale) == ["busy"]
    assert "num_people" in stale["busy"]
    frame = es.membership(drawn)
    assert not frame["busy"].any()
    assert frame["at night"].any()
    assert len(drawn.load_saved_view("busy")) == 0
    drawn.rename_sample_field("people", "num_people")
    assert es.refresh(drawn) == {}
    assert len(drawn.load_saved_view("busy")) == es.membership(drawn)["busy"].sum() > 0


def test_a_lost_saved_view_is_made_again(drawn):
    es.compose(drawn, NIGHT)
    drawn.delete_saved_view("at night")
    es.refresh(drawn)
    assert set(drawn.load_saved_view("at night").values("time")) == {"night"}


@pytest.mark.parametrize("place", ["save_recipe", "save_population_views"])
def test_an_interrupted_compose_leaves_its_name_free(drawn, monkeypatch, place):
    _interrupt(monkeypatch, place)
    with pytest.raises(KeyboardInterrupt):
        es.compose(drawn, NIGHT)
    monkeypatch.undo()
    es.compose(drawn, NIGHT)
    assert drawn.list_saved_views() == ["at night"]


def test_an_interrupted_remove_can_be_repeated(drawn, monkeypatch):
    es.compose(drawn, NIGHT)
    with monkeypatch.context() as patch:
        patch.setattr("evalsets.datasets.populations.delete_run", _stop)
        with pytest.raises(KeyboardInterrupt):
            es.remove(drawn, "at night")
    es.remove(drawn, "at night")
    es.compose(drawn, NIGHT)


def test_an_interrupted_change_is_finished_by_refresh(drawn, monkeypatch):
    es.compose(drawn, NIGHT)
    _interrupt(monkeypatch, "save_population_views")
    with pytest.raises(KeyboardInterrupt):
        es.compose(drawn, es.Population("at night", "time = 'day'"))
    monkeypatch.undo()
    es.refresh(drawn)
    assert set(drawn.load_saved_view("at night").values("time")) == {"day"}


def _interrupt(monkeypatch, place):
    monkeypatch.setattr(f"evalsets.api.populations.{place}", _stop)


def _stop(*_, **__):
    raise KeyboardInterrupt


def test_unknown_names_say_what_was_meant(drawn):
    with pytest.raises(UnknownNameError, match="No dataset 'nope'"):
        es.populations("nope")
    es.compose(drawn, NIGHT)
    with pytest.raises(UnknownNameError, match="did you mean 'at night'"):
        es.remove(drawn, "At nihgt")


def test_processes_that_compose_at_once_lose_nothing(drawn):
    script = (
        "import sys, evalsets as es\n"
        "for n in range(4):\n"
        "    name = f'{sys.argv[2]} {n}'\n"
        "    es.compose(sys.argv[1], es.Population(name, f'num_people > {n}'))\n"
    )
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", script, drawn.name, worker],
        )
        for worker in ("a", "b", "c")
    ]
    assert [worker.wait(120) for worker in workers] == [0, 0, 0]
    drawn.reload()
    expected = {f"{worker} {n}" for worker in "abc" for n in range(4)}
    assert set(es.populations(drawn)) == set(drawn.list_saved_views()) == expected


def test_a_compose_killed_between_views_and_their_list_can_be_repeated(drawn):
    pair = [NIGHT, es.Population("crowded", "num_people > 2")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(drawn._doc), "save", _stop)
        with pytest.raises(KeyboardInterrupt):
            save_population_views(drawn, [(p, es.search(drawn, p.query)) for p in pair])
    drawn.reload()
    es.compose(drawn, pair)
    assert drawn.list_saved_views() == ["at night", "crowded"]
    kept = [drawn._get_saved_view_doc(p.name).id for p in pair]
    es.compose(drawn, [es.Population("at night", "time = 'day'"), pair[1]])
    assert [drawn._get_saved_view_doc(p.name).id for p in pair] == kept
    assert set(drawn.load_saved_view("at night").values("time")) == {"day"}


def test_a_rename_that_was_killed_is_finished_by_renaming_again(drawn, monkeypatch):
    dependent = es.Population("on busy", "population('busy') AND num_people > 1")
    es.compose(drawn, [es.Population("busy", "num_people > 5"), dependent])

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(populations, "rename_answers", killed)
        with pytest.raises(KeyboardInterrupt):
            es.rename(drawn, "busy", "full")
    assert not es.refresh(drawn)
    es.rename(drawn, "busy", "full")
    assert set(es.populations(drawn)) == {"full", "on busy"}
    assert not es.refresh(drawn)
