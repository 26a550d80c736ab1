"""What the panels show, worked out without App or dataset."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest

import evalsets as es
from panels._evaluation_state import Asked, interval, last_report, metrics, table_rows
from panels._populations_state import (
    Form,
    Note,
    PopulationsState,
    examples,
    lines,
    share,
)

NIGHT = es.Population(
    "night",
    "time = 'night'",
    holdout=0.25,
    require=(es.Requirement("accuracy", at_least=0.9),),
    min_size=50,
    owner="anna",
)


def frame(**counts):
    columns = ["n", "train", "val", "test", "quarantine"]
    return pd.DataFrame.from_dict(counts, orient="index", columns=columns)


def test_the_state_survives_the_way_through_the_browser():
    table = lines(frame(night=[100, 70, 5, 25, 0]), {"night": NIGHT}, {}, {})
    state = PopulationsState(samples=400, lines=table, gaps=("none",), found=3)
    state = state.noted("save", "Saved 'night'")
    assert PopulationsState.from_dict(json.loads(json.dumps(state.to_dict()))) == state


def test_what_an_event_warns_of_stands_beside_what_it_did():
    state = PopulationsState(samples=400).searched(3, 400)
    assert state.advised("search", None) == state
    assert state.advised("save", None, "Saved") == state.noted("save", "Saved")
    advice = es.PromptWarning("CLIP does not count", "num_people > 5")
    warned = state.advised("save", advice, "Saved")
    assert warned.note.sentences == ("Saved", "CLIP does not count", "Write instead:")
    assert warned.note.pointer == "num_people > 5"
    assert warned.shows_found
    assert not state.noted("save", "Saved").shows_found
    assert (
        PopulationsState.from_dict(json.loads(json.dumps(warned.to_dict()))) == warned
    )
    hopeless = state.advised("search", es.PromptWarning("CLIP does not count"))
    assert hopeless.note.sentences == ("CLIP does not count",)


def test_without_a_state_the_panel_starts_empty():
    assert PopulationsState.from_dict(None) == PopulationsState()


@pytest.mark.parametrize(
    ("population", "n", "stale", "state"),
    [
        (NIGHT, 100, "", "live"),
        (NIGHT, 49, "", "too small"),
        (NIGHT, 0, "", "empty"),
        (NIGHT, 100, "another encoder", "stale"),
        (es.Population("p", "text('fog') > 0.2"), 9, "", "uncalibrated"),
        (es.Population("p", "note = 'text(1)'"), 9, "", "live"),
    ],
)
def test_a_population_has_the_state_that_matters_most(population, n, stale, state):
    counts = frame(**{population.name: [n, n, 0, 0, 0]})
    reasons = {population.name: stale} if stale else {}
    measured = {"p": None} if "text('" in population.query else {}
    (line,) = lines(counts, {population.name: population}, reasons, measured)
    assert line.state == state
    assert line.why


def test_a_calibrated_population_shows_its_precision():
    population = es.Population("p", "text('fog') > 0.2")
    found = es.Calibration(
        "p", "text('fog')", 0.2, 0.9, 0.95, (0.91, 0.98), 0.6, (0.5, 0.7), 9, 40
    )
    (line,) = lines(frame(p=[9, 9, 0, 0, 0]), {"p": population}, {}, {"p": found})
    assert (line.state, line.precision) == ("calibrated", 0.95)
    assert "0.95 [0.91, 0.98]" in line.why


def test_a_population_below_its_share_is_short_once_it_is_split():
    table = frame(night=[100, 76, 0, 24, 0], day=[100, 0, 0, 0, 0])
    known = {"night": NIGHT, "day": es.Population("day", "x > 1", holdout=0.2)}
    night, day = lines(table, known, {}, {})
    assert night.is_short
    assert not day.is_short


def test_editing_keeps_what_the_form_does_not_show():
    form = Form.of(NIGHT)
    assert form.holdout == 25
    changed = Form(form.query, form.name, 30, "accuracy >= 0.8, f1 drop <= 0.1")
    population = changed.population(NIGHT)
    assert (population.owner, population.min_size) == ("anna", 50)
    assert population.holdout == pytest.approx(0.3)
    assert [str(r) for r in population.require] == ["accuracy >= 0.8", "f1 drop <= 0.1"]
    assert form.population(NIGHT) == NIGHT


@pytest.mark.parametrize(
    "form",
    [
        Form(query="x > 1", name=" "),
        Form(query=" ", name="p"),
        Form(query="x > 1", name="p", holdout=120),
        Form(query="x > 1", name="p", require="accuracy about 0.9"),
    ],
)
def test_an_input_that_no_population_can_have_is_told(form):
    with pytest.raises(es.EvalsetsError):
        form.population(None)


def test_a_note_of_an_error_separates_sentence_and_place():
    error = es.EvalsetsError("No field 'wether'\n  wether = 1\n  ^^^^^^")
    note = Note.of("search", error)
    assert note.sentences == ("No field 'wether'",)
    assert note.pointer == "  wether = 1\n  ^^^^^^"
    assert note.failed


def test_a_share_is_told_with_its_whole():
    assert share(82, 1672) == "of 1,672 samples, 4.9 %"
    assert share(0, 1) == "of 1 sample, 0.0 %"


def test_examples_are_made_of_the_fields_there_are():
    assert examples([("n", 5), ("name", "O'Hara")]) == (
        "name = 'O''Hara'",
        "n >= 5 AND name = 'O''Hara'",
    )
    assert examples([("n", 5), ("m", 0.5)]) == ("n >= 5", "m >= 0.5")
    assert examples([("ok", True), ("nothing", None), ("zero", 0)]) == ()


def row(population, metric="accuracy", verdict="", requirement=""):
    return SimpleNamespace(
        population=population, metric=metric, verdict=verdict, requirement=requirement
    )


ROWS = [
    row("(all)"),
    row("(all)", "f1"),
    row("day", verdict="pass", requirement="accuracy >= 0.5"),
    row("night", verdict="fail", requirement="accuracy >= 0.9"),
    row("dusk", verdict="inconclusive", requirement="accuracy >= 0.9"),
    row("noon"),
    row("noon", "f1"),
]


def test_failures_come_first_below_all_the_data():
    listed = [(r.population, r.metric) for r in table_rows(ROWS)]
    names = ["(all)", "night", "dusk", "day", "noon"]
    assert listed == [(name, "accuracy") for name in names]


def test_a_chosen_metric_lists_only_its_rows():
    assert [r.population for r in table_rows(ROWS, "f1")] == ["(all)", "noon"]
    assert metrics(ROWS) == ["accuracy", "f1"]


def test_a_figure_stands_above_its_interval():
    assert interval(0.5, 0.25, 0.75) == "0.500\n[0.250, 0.750]"
    assert interval(-0.5, -0.75, 0.25, sign="+") == "-0.500\n[-0.750, 0.250]"
    assert interval(0.5, None, None) == "0.500"
    assert interval(None, None, None) == "–"


def test_the_newest_report_of_a_model_is_the_one_to_open():
    history = pd.DataFrame({"model": ["a", "b", "a"]}, index=[1, 2, 5])
    assert last_report(history, "a") == 5
    assert last_report(history, "c") is None


def test_the_choices_are_those_the_report_was_made_with():
    made = {"model": "a", "baseline": None, "split": None, "truth": "teacher"}
    asked = Asked.of(made)
    assert (asked.baseline, asked.split) == ("", "all")
    assert asked.keywords() == {"baseline": None, "split": None, "truth": "teacher"}
