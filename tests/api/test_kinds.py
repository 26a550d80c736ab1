"""An argument of a wrong kind is told in a sentence, not by Python's own errors."""

import fiftyone as fo
import pytest

import evalsets as es
from evalsets.errors import ArgumentError, EvalsetsError
from evalsets.metrics import Row
from evalsets.reports import Report

pytestmark = pytest.mark.db


@pytest.fixture
def made():
    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(f"/data/{i:02d}.jpg", x=i) for i in range(10)])
    es.compose(dataset, es.Population("all", "x >= 0", holdout=0.2))
    es.split(dataset)
    yield dataset
    dataset.delete()


CALLS = {
    "evaluate": (
        lambda d: es.evaluate(d, None),
        "model is None; give the name of a prediction set",
    ),
    "discordant": (
        lambda d: es.discordant(d, None, "a"),
        "model is None; give the name of a prediction set",
    ),
    "remove": (
        lambda d: es.remove(d, None),
        "name is None; give the name of a population",
    ),
    "tag, batch_size": (
        lambda d: es.tag(d, [{"statistics": {}}], batch_size="a"),
        "batch_size is 'a'; give a whole number of at least 1",
    ),
    "tag, half a batch": (
        lambda d: es.tag(d, [{"statistics": {}}], batch_size=1.5),
        "batch_size is 1.5; give a whole number",
    ),
    "tag, workers": (
        lambda d: es.tag(d, [{"statistics": {}}], engine="ray", workers="x"),
        "workers is 'x'; give a whole number",
    ),
    "leaks, near_duplicates": (
        lambda d: es.leaks(d, near_duplicates="x"),
        "near_duplicates is x; give a cosine",
    ),
    "leaks, split": (lambda d: es.leaks(d, split=5), "No field '5'"),
    "retire": (
        lambda d: es.retire(d, None, reason="x"),
        "sample is None; give an id or a file path",
    ),
    "select": (
        lambda d: es.select(d, split=["test"]),
        "split is ['test']; give the name",
    ),
    "trend": (
        lambda d: es.trend(d, split=["test"]),
        "split is ['test']; give the name",
    ),
    "load_report": (
        lambda d: es.load_report(d, "x"),
        "number is 'x'; give a whole number",
    ),
    "save_suite": (lambda d: es.save_suite(d, 5), "path of a file is wanted, not 5"),
    "load_suite": (lambda d: es.load_suite(d, 5), "path of a file is wanted, not 5"),
    "save_ledger": (lambda d: es.save_ledger(d, 5), "path of a file is wanted, not 5"),
    "load_ledger": (lambda d: es.load_ledger(d, 5), "path of a file is wanted, not 5"),
}


@pytest.mark.parametrize(("call", "said"), CALLS.values(), ids=CALLS)
def test_a_wrong_kind_is_told_in_a_sentence(made, call, said):
    with pytest.raises(EvalsetsError) as told:
        call(made)
    assert said in str(told.value)


def test_embed_takes_no_word_for_a_number(made, encoder):
    with pytest.raises(ArgumentError, match="batch_size is 'a'"):
        es.embed(made, encoder, batch_size="a")


def test_the_page_of_a_report_takes_no_number_for_a_trend(tmp_path):
    report = Report((Row("(all)", "accuracy", 9, 0.9, 0.8, 1.0),), {"model": "net"})
    with pytest.raises(ArgumentError, match=r"trend is 5; give what evalsets.trend"):
        report.to_html(tmp_path / "x.html", trend=5)
