"""Whatever happens to field, ledger, samples or process: what is in test stays there."""

import json

import fiftyone as fo
import pytest

import evalsets as es
from evalsets.api import split as module
from evalsets.datasets.connect import open_dataset
from evalsets.datasets.ledger import read_ledger
from evalsets.errors import ArgumentError, EvalsetsError
from evalsets.splits import replay, seal

pytestmark = pytest.mark.db


def _filled(n=100):
    dataset = fo.Dataset(persistent=True)
    dataset.add_samples([fo.Sample(f"/data/{i:05d}.jpg", x=i) for i in range(n)])
    return dataset


def _hold_out(dataset, share):
    es.compose(dataset, es.Population("all", "x >= 0", holdout=share))


@pytest.fixture
def made():
    """Split once, with a fifth in test."""
    dataset = _filled()
    _hold_out(dataset, 0.2)
    es.split(dataset)
    yield dataset
    dataset.delete()


def _sides(dataset):
    return dict(zip(*dataset.values(["id", "split"]), strict=True))


def _told(dataset):
    return replay(read_ledger(open_dataset(dataset)))


def _by_path(dataset):
    return dict(zip(*dataset.values(["filepath", "split"]), strict=True))


def _test_of(sides):
    return {i for i, side in sides.items() if side == "test"}


def _kill(dataset, **options):
    """A split that ends between the ledger and the field."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_write", _stop)
        with pytest.raises(KeyboardInterrupt):
            es.split(dataset, **options)


def _stop(*_, **__):
    raise KeyboardInterrupt


def _edit_ledger(dataset):
    key = min(
        (k for k in dataset.list_runs(method="evalsets/split")),
        key=lambda k: dataset.get_run_info(k).config.name,
    )
    run = dataset.load_run_results(key, cache=False)
    run.entries[0]["rule"] = "because"
    dataset.save_run_results(key, run, overwrite=True)


def test_two_kills_in_a_row_take_nothing_out_of_test(made):
    _hold_out(made, 0.5)
    _kill(made)
    held_out = _test_of(_told(made))
    assert len(held_out) == 50
    _kill(made)
    es.split(made)
    assert _test_of(_sides(made)) == held_out
    assert _told(made) == _sides(made)


def test_a_kill_and_a_retirement_take_nothing_else_out_of_test(made):
    _hold_out(made, 0.5)
    _kill(made)
    held_out = _test_of(_told(made))
    late = (held_out - _test_of(_sides(made))).pop()  # in test by the ledger alone
    es.retire(made, late, reason="blurred")
    es.split(made)
    assert held_out - {late} <= _test_of(_sides(made))
    assert _sides(made)[late] == "quarantine"


def test_a_lost_field_is_restored_from_the_ledger_and_told(made):
    before = _sides(made)
    made.delete_sample_field("split")
    report = es.split(made, seed=3)
    assert _sides(made) == before
    assert "of 100 samples did not hold the side that the ledger tells" in str(report)
    assert not es.split(made).notes


def test_a_field_edited_by_hand_cannot_take_a_sample_out_of_test(made):
    sample = made[_test_of(_sides(made)).pop()]
    sample.split = "train"
    sample.save()
    report = es.split(made)
    assert made[sample.id].split == "test"
    assert f"sample {sample.id} had 'train' instead of 'test'" in str(report)


@pytest.mark.parametrize("side", ["train", "quarantine", None])
@pytest.mark.parametrize(
    "look",
    [
        lambda d: es.select(d, split="train"),
        lambda d: es.select(d.limit(10), split="test"),
        es.coverage,
        lambda d: es.evaluate(d, "net"),
        lambda d: es.discover(d, "net"),
    ],
    ids=["select", "select in a view", "coverage", "evaluate", "discover"],
)
def test_nothing_goes_by_a_field_that_takes_samples_out_of_test(made, look, side):
    scores = dict.fromkeys(made.values("id"), 0.5)
    es.upload_scores(made, "net", scores, metric="loss", higher_is_better=False)
    edited = sorted(_test_of(_sides(made)))[:3]
    made.set_values("split", dict.fromkeys(edited, side), key_field="id")
    with pytest.raises(EvalsetsError, match=r"3 samples in test by the ledger") as told:
        look(made)
    where = f"'{side}'" if side else "no split"
    assert f"{edited[0]} for one in {where}; split again" in str(told.value)
    assert "\n" not in str(told.value)
    es.split(made)
    assert len(es.select(made, split="test")) == 20
    es.coverage(made)


def test_what_is_put_into_test_or_deleted_is_no_reason_to_refuse(made):
    train = es.select(made, split="train").values("id")
    made.set_values("split", dict.fromkeys(train[:2], "test"), key_field="id")
    assert len(es.select(made, split="test")) == 22
    made.delete_samples(sorted(_test_of(_sides(made)))[:5])
    assert len(es.select(made, split="train")) == len(train) - 2
    es.retire(made, es.select(made, split="test").values("id")[-1], reason="blurred")
    assert es.coverage(made).frame.quarantine.sum() == 1


def test_a_sample_put_into_test_by_hand_stays_there_and_is_told(made):
    sample = made.match(fo.ViewField("split") == "train").first()
    sample.split = "test"
    sample.save()
    assert f"stay in test: {sample.id}" in str(es.split(made))
    assert _told(made)[sample.id] == "test"
    assert not es.split(made).notes


@pytest.mark.parametrize("act", [es.split, es.release, "retire"])
def test_nothing_is_built_on_an_edited_ledger(made, act):
    es.split(made)
    _edit_ledger(made)
    one = _test_of(_sides(made)).pop()
    with pytest.raises(EvalsetsError, match=r"Split 1 .* edited"):
        es.retire(made, one, reason="x") if act == "retire" else act(made)
    assert len(made.list_runs(method="evalsets/split")) == 2
    assert not es.releases(made)
    assert made[one].split == "test"


def test_an_edited_ledger_names_how_a_saved_file_mends_it(made):
    _edit_ledger(made)
    with pytest.raises(EvalsetsError) as told:
        es.split(made)
    assert "with load_ledger, or `evalsets ledger load`" in str(told.value)
    assert "save_ledger wrote before" in str(told.value)
    assert str(told.value).count("\n") == 0


def test_a_saved_ledger_mends_an_edited_one_and_keeps_what_is_in_test(made, tmp_path):
    file = es.save_ledger(made, tmp_path / "ledger.jsonl")
    _hold_out(made, 0.5)
    made.add_sample(fo.Sample("/data/new.jpg", x=1))
    es.split(made)
    before = _sides(made)
    _edit_ledger(made)
    es.load_ledger(made, file)
    assert _test_of(before) <= _test_of(_sides(made))
    late = (_test_of(before) - _test_of(_told_by(file))).pop()
    assert "restored" in str(es.explain(made, late))
    assert _told(made) == _sides(made)
    es.split(made)
    es.save_ledger(made, file)


def _told_by(file):
    records = [json.loads(line) for line in file.read_text().splitlines()]
    return replay(e for record in records for e in record["entries"])


def test_a_dataset_made_anew_from_the_same_files_takes_the_ledger(made, tmp_path):
    file = es.save_ledger(made, tmp_path / "ledger.jsonl")
    other = _filled()
    try:
        _hold_out(other, 0.2)
        es.load_ledger(other, file)
        paths = [_by_path(d) for d in (made, other)]
        assert paths[0] == paths[1]
        assert _told(other) | _sides(other) == _told(other)
        assert not es.split(other, seed=9).moved
        assert _by_path(other) == paths[0]
        assert es.explain(other, "00000.jpg").decisions
    finally:
        other.delete()


def _moved_to(folder, dataset, name=None):
    """The same files in another place, in a dataset made anew."""
    other = fo.Dataset(persistent=True)
    paths = [path.rpartition("/")[2] for path in dataset.values("filepath")]
    other.add_samples([fo.Sample(f"{folder}/{p}", x=1) for p in paths])
    if name:
        other.add_sample(fo.Sample(name, x=1))
    return other


@pytest.mark.parametrize(
    ("folder", "outside"),
    [
        ("/data", "/other/00000.jpg"),
        ("/data", "/00000.jpg"),
        ("/mnt/new place", None),
        ("/mnt/new place", "/mnt/00000.jpg"),
    ],
    ids=["outside", "above", "moved", "moved and above"],
)
def test_a_ledger_loads_where_the_common_folder_is_another(
    made, tmp_path, folder, outside
):
    file = es.save_ledger(made, tmp_path / "ledger.jsonl")
    wanted = {p.rpartition("/")[2]: side for p, side in _by_path(made).items()}
    other = _moved_to(folder, made, outside)
    try:
        es.load_ledger(other, file)
        found = _by_path(other)
        assert found.pop(outside, None) is None
        assert {p.rpartition("/")[2]: side for p, side in found.items()} == wanted
    finally:
        other.delete()


@pytest.mark.parametrize("lost", [0, 1], ids=["exact", "one file is gone"])
def test_beside_a_copy_of_all_files_those_added_again_stay_in_test(made, lost):
    made.delete_samples([s.id for s in made if s.filepath < f"/data/{lost:05d}"])
    before = _by_path(made)
    copies = [f"/copy/{i:05d}.jpg" for i in range(100)]
    made.delete_samples(made.values("id"))
    made.add_samples([fo.Sample(path, x=1) for path in [*before, *copies]])
    report = es.split(made, seed=5)
    after = _by_path(made)
    assert {path: after[path] for path in before} == before
    told = "below '/copy' or '/data', which have the same names" in str(report)
    assert told == bool(lost)  # the copy has more of the names then


def test_a_ledger_of_a_tree_that_was_moved_and_copied_loads_for_both(
    made, tmp_path, caplog
):
    file = es.save_ledger(made, tmp_path / "ledger.jsonl")
    wanted = {p.rpartition("/")[2]: side for p, side in _by_path(made).items()}
    other = _moved_to("/mnt/a", made)
    try:
        copies = [path.replace("/a/", "/b/") for path in other.values("filepath")]
        other.add_samples([fo.Sample(path, x=1) for path in copies])
        es.load_ledger(other, file)
        for path, side in _by_path(other).items():
            assert side == wanted[path.rpartition("/")[2]]
        assert "below '/mnt/a' or '/mnt/b', which have the same names" in caplog.text
    finally:
        other.delete()


def test_a_second_sample_of_one_path_hides_no_file(made, tmp_path):
    before = _by_path(made)
    made.delete_samples(made.values("id"))
    made.add_samples([fo.Sample(path, x=1) for path in [*before, "/data/00000.jpg"]])
    es.split(made, seed=3)
    assert _by_path(made) == before
    other = _filled()
    try:
        es.load_ledger(other, es.save_ledger(made, tmp_path / "ledger.jsonl"))
        assert _by_path(other) == before
    finally:
        other.delete()


def test_what_the_field_alone_has_in_test_stays_there_under_a_new_id(made, tmp_path):
    file = es.save_ledger(made, tmp_path / "ledger.jsonl")
    paths = made.values("filepath")
    made.delete_samples(made.values("id"))
    made.add_samples([fo.Sample(path, x=1) for path in paths])
    es.split(made)
    _hold_out(made, 0.5)
    es.split(made)
    held_out = {p for p, side in _by_path(made).items() if side == "test"}
    _edit_ledger(made)
    es.load_ledger(made, file)
    assert held_out <= {p for p, side in _by_path(made).items() if side == "test"}


def test_a_path_that_is_not_in_its_normal_form_is_entered_once(made):
    made.set_values("filepath", ["/data/a/../x.jpg", *made.values("filepath")[1:]])
    es.split(made)
    entries = read_ledger(open_dataset(made))
    es.split(made)
    assert read_ledger(open_dataset(made)) == entries


def test_files_of_the_names_of_others_are_drawn_for_themselves(made):
    before = _by_path(made)
    for seed in (1, 2):
        made.delete_samples(made.values("id"))
        made.add_samples([fo.Sample(path, x=1) for path in before])
        es.split(made, seed=seed)
    namesakes = [f"/camera/{i:05d}.jpg" for i in range(60)]
    made.add_samples([fo.Sample(path, x=-1) for path in namesakes])
    es.split(made)
    after = _by_path(made)
    assert {path: after[path] for path in before} == before
    assert {after[path] for path in namesakes} <= {"train", "val"}


def test_a_ledger_loads_beside_a_copy_of_what_came_later(made, tmp_path):
    late = [f"/data/late/{i}.jpg" for i in range(20)]
    made.add_samples([fo.Sample(path, x=1) for path in late])
    es.split(made)
    before, file = _by_path(made), es.save_ledger(made, tmp_path / "ledger.jsonl")
    other = _filled()
    try:
        copies = [f"/data/copy{path.removeprefix('/data')}" for path in late]
        other.add_samples([fo.Sample(path, x=1) for path in [*late, *copies]])
        _hold_out(other, 0.2)
        es.load_ledger(other, file)
        es.split(other, seed=9)
        after = _by_path(other)
        assert {path: after[path] for path in before} == before
    finally:
        other.delete()


def test_files_added_again_below_another_common_folder_have_their_side(made):
    before = _by_path(made)
    gone = [p for p, side in before.items() if side == "test"]
    made.delete_samples(_test_of(_sides(made)))
    made.add_samples([fo.Sample(path, x=-1) for path in [*gone, "/other/1.jpg"]])
    es.split(made, seed=5)
    assert {_by_path(made)[path] for path in gone} == {"test"}


def test_a_split_says_which_files_of_test_are_gone(made):
    assert not es.split(made).notes
    gone = sorted(p for p, side in _by_path(made).items() if side == "test")[:2]
    made.delete_samples([made[path].id for path in gone])
    (note,) = es.split(made).notes
    assert note == (
        f"2 files are in test by the ledger and not in the dataset, '{gone[0]}' for "
        "one; added again, such a file is in test"
    )
    made.add_samples([fo.Sample(path, x=-1) for path in gone])
    assert not es.split(made).notes


def test_a_file_of_test_is_gone_once_however_often_it_was_there(made):
    path, other = sorted(p for p, side in _by_path(made).items() if side == "test")[:2]
    for _ in range(3):
        made.delete_samples([made[path].id])
        (note,) = es.split(made).notes
        assert note.startswith("1 file is in test")
        made.add_sample(fo.Sample(path, x=-1))
        assert not es.split(made).notes
    es.retire(made, path, reason="blurred")
    made.delete_samples([made[path].id])
    assert not es.split(made).notes
    made.delete_samples([made[other].id])
    assert "1 file is in test" in es.split(made).notes[0]


def test_a_tree_that_was_moved_is_not_missed(made, tmp_path, caplog):
    for folder in ("/mnt", "/mnt", "/srv"):
        paths = [f"{folder}/{path[-9:]}" for path in made.values("filepath")]
        made.delete_samples(made)
        made.add_samples([fo.Sample(path, x=1) for path in paths])
        for _ in range(2):
            assert not es.split(made).notes
    es.load_ledger(made, es.save_ledger(made, tmp_path / "ledger.jsonl"))
    assert "cannot be found" not in caplog.text


def test_of_a_tree_that_was_moved_but_for_one_the_late_files_have_their_side(made):
    sides = _by_path(made)
    (stays, *moved) = sorted(sides, key=lambda path: sides[path] == "test")
    late = moved.pop()
    made.delete_samples([made[path].id for path in [*moved, late]])
    made.add_samples([fo.Sample(path.replace("data", "mnt"), x=-1) for path in moved])
    es.split(made)
    assert sides[late] == "test"
    more = [late.replace("data", "mnt"), *[f"/mnt/new{i}.jpg" for i in range(60)]]
    made.add_samples([fo.Sample(path, x=-1) for path in more])
    es.split(made, seed=5)
    assert _by_path(made)[more[0]] == "test"
    assert _by_path(made)[stays] == sides[stays]


def test_a_new_file_of_the_name_of_one_that_is_gone_is_not_taken_for_it(made):
    gone = made[_test_of(_sides(made)).pop()].filepath.rpartition("/")[2]
    made.delete_samples([s.id for s in made if s.filepath.endswith(gone)])
    made.add_sample(fo.Sample(f"/{gone}", x=-1))
    es.split(made)
    assert _by_path(made)[f"/{gone}"] == "train"


def test_a_file_retired_alone_is_known_where_the_dataset_is_made_anew(made, tmp_path):
    sample = made[_test_of(_sides(made)).pop()]
    es.retire(made, sample.id, reason="blurred")
    file = es.save_ledger(made, tmp_path / "ledger.jsonl")
    last = json.loads(file.read_text().splitlines()[-1])["entries"][-1]
    assert last["keys"] == [sample.filepath.rpartition("/")[2]]


def test_a_retired_file_stays_out_of_test_however_often_it_is_added_again(
    made, tmp_path
):
    path = made[_test_of(_sides(made)).pop()].filepath
    for _ in range(2):
        made.delete_samples(made.match(fo.ViewField("filepath") == path))
        made.add_sample(fo.Sample(path, x=1))
        es.split(made)
        if _by_path(made)[path] == "test":
            es.retire(made, path, reason="blurred")
    assert _by_path(made)[path] == "quarantine"
    other = _filled()
    try:
        for dataset in (made, other):
            names = [p.replace("data", "new") for p in dataset.values("filepath")]
            dataset.set_values("filepath", ["/data/0", *names[1:]])
        es.split(made)
        es.load_ledger(other, es.save_ledger(made, tmp_path / "ledger.jsonl"))
        assert _by_path(other) == _by_path(made)
    finally:
        other.delete()


def test_files_that_were_deleted_and_added_again_have_their_side(made):
    before = _by_path(made)
    gone = [p for p, side in before.items() if side == "test"]
    made.delete_samples(_test_of(_sides(made)))
    es.split(made)
    made.add_samples([fo.Sample(path, x=1) for path in gone])
    es.split(made, seed=5)
    after = _by_path(made)
    assert {after[path] for path in gone} == {"test"}
    assert _told(made) | _sides(made) == _told(made)


@pytest.mark.parametrize(
    ("field", "first", "later"),
    [("filepath", "/old/{}/{}.jpg", "/new/{}.jpg"), ("file_digest", "{}", "edited {}")],
)
def test_files_renamed_or_edited_since_are_known_where_the_dataset_is_made_anew(
    tmp_path, field, first, later
):
    made, other = _filled(), _filled()
    try:
        made.set_values(field, [first.format(x % 7, x) for x in range(100)])
        _hold_out(made, 0.2)
        es.split(made)
        before = made.values("split")
        for dataset in (made, other):
            dataset.set_values(field, [later.format(x) for x in range(100)])
        assert not es.split(made).moved
        entries = read_ledger(open_dataset(made))
        es.split(made)
        assert read_ledger(open_dataset(made)) == entries
        assert "another name or content" in str(es.explain(made, made.first().id))
        es.load_ledger(other, es.save_ledger(made, tmp_path / "ledger.jsonl"))
        assert other.values("split") == before
    finally:
        made.delete()
        other.delete()


def test_files_of_test_that_a_ledger_does_not_find_are_told(made, tmp_path, caplog):
    file = es.save_ledger(made, tmp_path / "ledger.jsonl")
    held_out = sorted(p for p, side in _by_path(made).items() if side == "test")
    other = _filled()
    try:
        es.load_ledger(other, file)
        assert not caplog.text
        for path in held_out[:2]:
            sample = other[path]
            sample.filepath = f"/renamed/{path[-9:]}"
            sample.save()
        other.delete_sample_field("split")
        for key in other.list_runs(method="evalsets/split"):
            other.delete_run(key)
        es.load_ledger(other, file)
        assert f"2 files in test by '{file}' cannot be found in dataset" in caplog.text
    finally:
        other.delete()


def test_a_ledger_without_keys_still_loads(made, tmp_path):
    file = es.save_ledger(made, tmp_path / "ledger.jsonl")
    record = json.loads(file.read_text())
    for entry in record["entries"]:
        del entry["keys"]
    file.write_text(json.dumps(seal(record, "")) + "\n")
    before = _sides(made)
    other = made.clone(persistent=True)
    try:
        for key in other.list_runs(method="evalsets/split"):
            other.delete_run(key)
        other.delete_sample_field("split")
        es.load_ledger(other, file)
        assert _sides(other) == before
    finally:
        other.delete()


@pytest.mark.parametrize("content", ["mine", "{}\n"])
def test_a_saved_ledger_replaces_no_other_file(made, tmp_path, content):
    file = tmp_path / "ledger.jsonl"
    file.write_text(content)
    with pytest.raises(ArgumentError, match="does not go on from"):
        es.save_ledger(made, file)
    assert file.read_text() == content
    file.write_text("")
    es.save_ledger(made, file)
    es.split(made)
    assert len(es.save_ledger(made, file).read_text().splitlines()) == 2


def test_of_two_populations_that_mean_the_same_the_smaller_calls_none(made):
    es.compose(
        made,
        [
            es.Population("all", "x >= 0", holdout=0.5),
            es.Population("the same", "x >= 0", holdout=0.2),
        ],
    )
    es.split(made)
    made.add_samples([fo.Sample(f"/data/n{i}.jpg", x=-1) for i in range(9)])
    made.delete_samples(list(_test_of(_sides(made)))[:10])
    assert not es.split(made).moved


def test_called_samples_carry_the_releases_that_they_were_trained_in(made):
    es.release(made)
    _hold_out(made, 0.3)
    es.split(made)
    es.release(made)
    _hold_out(made, 0.5)
    report = es.split(made)
    assert {move.releases for move in report.moved} == {(1, 2)}
    assert "in train or val in releases 1, 2" in str(report.moved[0])
    entries = [e for e in read_ledger(open_dataset(made)) if "releases" in e]
    assert [e["releases"] for e in entries] == [[1], [1, 2]]
    text = str(es.explain(made, report.moved[0].sample_id))
    assert "in train or val in releases 1, 2" in text


def test_nothing_can_be_retired_before_the_first_split():
    dataset = _filled(3)
    try:
        dataset.set_values("split", ["test"] * 3)
        with pytest.raises(ArgumentError, match="has not been split yet"):
            es.retire(dataset, dataset.first().id, reason="x")
        assert dataset.values("split") == ["test"] * 3
    finally:
        dataset.delete()
