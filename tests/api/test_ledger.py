import json

import fiftyone as fo
import pytest
from fiftyone.core.runs import Run

import evalsets as es
from evalsets.datasets.connect import open_dataset
from evalsets.datasets.ledger import read_ledger
from evalsets.datasets.runs import delete_run
from evalsets.errors import ArgumentError, EvalsetsError, UnknownNameError
from evalsets.splits import replay

pytestmark = pytest.mark.db


@pytest.fixture
def divided(drawn):
    """Split twice: a share was raised in between."""
    es.compose(drawn, es.Population("at night", "time = 'night'", holdout=0.2))
    es.split(drawn, groups="scene_id")
    es.release(drawn)
    es.compose(drawn, es.Population("at night", "time = 'night'", holdout=0.6))
    es.split(drawn, groups="scene_id")
    return drawn


@pytest.fixture
def file(tmp_path, divided):
    return es.save_ledger(divided, tmp_path / "ledger.jsonl")


def sides(dataset):
    return dict(zip(*dataset.values(["id", "split"]), strict=True))


def test_a_called_sample_is_explained_with_its_times_and_releases(divided):
    opened = open_dataset(divided)
    called = [e for e in read_ledger(opened) if e["rule"].startswith("called")]
    sample_id = called[0]["samples"][0]
    found = es.explain(divided, sample_id)
    assert [d["side"] for d in found.decisions][-1] == "test"
    assert found.releases[1] in ("train", "val")
    assert found.side == "test"
    assert found.populations == {"at night": 0.6}
    text = str(found)
    assert "called into test for 'at night'" in text
    assert f"releases: 1 ({found.releases[1]})" in text
    name = divided[sample_id].filepath.rpartition("/")[2]
    assert es.explain(divided, name) == found


def test_a_sample_without_a_side_is_explained_too(drawn):
    found = es.explain(drawn, drawn.first().id)
    assert (found.side, found.decisions, found.releases) == ("", (), {})
    with pytest.raises(UnknownNameError, match=r"No sample 'nope.jpg'"):
        es.explain(drawn, "nope.jpg")


def test_a_retired_sample_is_in_quarantine_for_good(divided, tmp_path):
    gone = es.select(divided, split="test").values("id")[:2]
    assert es.retire(divided, gone, reason="blurred faces") == 2
    es.split(divided, groups="scene_id")
    assert {divided[i].split for i in gone} == {"quarantine"}
    assert replay(read_ledger(open_dataset(divided))) == sides(divided)
    assert "retired: blurred faces" in str(es.explain(divided, gone[0]))
    es.save_ledger(divided, tmp_path / "after.jsonl")
    assert es.load_ledger(divided, tmp_path / "after.jsonl")


@pytest.mark.parametrize(
    ("samples", "reason", "said"),
    [
        ("test", " ", "needs a reason"),
        ("train", "x", "not in test"),
        (None, "x", "one"),
    ],
)
def test_what_cannot_be_retired_is_said(divided, samples, reason, said):
    before = sides(divided)
    given = es.select(divided, split=samples).values("id")[:1] if samples else []
    with pytest.raises(ArgumentError, match=said):
        es.retire(divided, given, reason=reason)
    assert sides(divided) == before


@pytest.mark.parametrize(
    "call", [es.explain, lambda d, s: es.retire(d, [s], reason="x")]
)
def test_a_sample_is_named_by_its_id_or_path(divided, call):
    with pytest.raises(ArgumentError, match="sample is 7; give an id or a file path"):
        call(divided, 7)


def test_a_saved_ledger_is_a_line_a_split_and_grows_at_its_end(divided, file, tmp_path):
    before = file.read_text()
    assert len(before.splitlines()) == 2
    divided.add_sample(fo.Sample("/new.jpg", time="night", scene_id="new"))
    es.split(divided, groups="scene_id")
    after = es.save_ledger(divided, tmp_path / "later.jsonl").read_text()
    assert after.startswith(before)
    assert len(after.splitlines()) == 3


def test_a_saved_ledger_brings_the_sides_back(divided, file):
    wanted = sides(divided)
    divided.delete_sample_field("split")
    opened = open_dataset(divided)
    for name in ("000001", "000002"):
        delete_run(opened, "split", name)
    counts = es.load_ledger(divided, file)
    assert sides(divided) == wanted
    assert counts["test"] == list(wanted.values()).count("test")
    assert not es.split(divided, groups="scene_id").moved
    assert sides(divided) == wanted


def test_a_ledger_that_is_there_already_is_not_written_again(divided, file):
    def written():
        keys = divided.list_runs(method="evalsets/split")
        return [Run._get_run_doc(divided, key).results.grid_id for key in keys]

    before = written()
    es.load_ledger(divided, file)
    divided.reload()
    assert written() == before


def test_an_edited_past_is_told(divided, tmp_path, file):
    opened = open_dataset(divided)
    run = opened.load_run_results(_key(opened, 1), cache=False)
    run.entries[0]["rule"] = "because"
    opened.save_run_results(_key(opened, 1), run, overwrite=True)
    for call in (es.explain, lambda d, _: es.save_ledger(d, tmp_path / "x")):
        with pytest.raises(EvalsetsError, match=r"Split 1 in the ledger .* edited"):
            call(divided, divided.first().id)
    assert not (tmp_path / "x").exists()
    es.load_ledger(divided, file)
    assert es.explain(divided, divided.first().id)


def _key(dataset, number):
    keys = dataset.list_runs(method="evalsets/split")
    (found,) = [
        k for k in keys if dataset.get_run_info(k).config.name == f"{number:06d}"
    ]
    return found


def _edited(line, **changes):
    return json.dumps({**json.loads(line), **changes})


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda a, b: [a, b[:-20]], r"jsonl:2 is no record of a ledger"),
        (lambda a, b: [_edited(a, seed=7), b], r"jsonl:1 is not what was written"),
        (lambda a, b: [b], r"jsonl:1 is not what was written"),
        (lambda a, b: [a, a], r"jsonl:2 is not what was written"),
        (lambda a, b: [a, "[]"], r"jsonl:2 is no record of a ledger"),
        (lambda a, b: [], "jsonl' is empty"),
        (
            lambda a, b: [a],
            r"is older than the ledger .* has 1 record more; .* nothing",
        ),
    ],
    ids=["cut", "edited", "lost", "doubled", "other", "empty", "older"],
)
def test_a_ledger_file_that_cannot_be_is_refused(divided, file, edit, said):
    before = sides(divided)
    file.write_text("\n".join(edit(*file.read_text().splitlines())))
    with pytest.raises(EvalsetsError, match=said):
        es.load_ledger(divided, file)
    assert sides(divided) == before


def test_a_ledger_file_is_named_as_it_is(divided, file, monkeypatch):
    monkeypatch.chdir(file.parent)
    with pytest.raises(ArgumentError, match=r"There is no file 'gone.jsonl'; check"):
        es.load_ledger(divided, "gone.jsonl")
    edited = file.read_text().replace('"seed": 0', '"seed": 7')
    file.with_name("l2.jsonl").write_text(edited)
    with pytest.raises(EvalsetsError, match=r"^Ledger file l2.jsonl:1 is not what"):
        es.load_ledger(divided, "l2.jsonl")


def test_the_ledger_of_another_dataset_is_refused(divided, file, dataset):
    other = fo.Dataset(persistent=True)
    try:
        other.add_sample(fo.Sample("/a.jpg"))
        with pytest.raises(ArgumentError, match="of another dataset"):
            es.load_ledger(other, file)
    finally:
        other.delete()


def test_a_dataset_never_split_has_no_ledger(drawn, tmp_path):
    with pytest.raises(ArgumentError, match="not been split yet"):
        es.save_ledger(drawn, tmp_path / "ledger.jsonl")
