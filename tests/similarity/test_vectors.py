import json
import random
import signal
import subprocess
import sys
import tempfile
import time
import zlib

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from evalsets.errors import (
    ArgumentError,
    EncoderError,
    EvalsetsError,
    LockedError,
    NoVectorsError,
)
from evalsets.similarity import VectorFile, scores, top_k, unit

DIM = 4


def made(folder, patience=10.0):
    return VectorFile.create(folder, DIM, "tiny", "f00d", patience)


def sample_id(number: int) -> str:
    return f"{number:024x}"


def some(seed: int, n: int = 1) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((n, DIM)))


def test_vectors_come_back_as_unit_rows(tmp_path):
    made(tmp_path).add([sample_id(1), sample_id(2)], [[0, 0, 3, 4], [2, 0, 0, 0]])
    found = VectorFile(tmp_path)
    assert found.ids.tolist() == [sample_id(1), sample_id(2)]
    assert found.matrix == pytest.approx(np.array([[0, 0, 0.6, 0.8], [1, 0, 0, 0]]))
    assert (len(found), found.dim, found.encoder) == (2, DIM, "tiny")


def test_ids_with_zero_bytes_survive(tmp_path):
    ids = ["00" * 12, "ff" * 12, "0a" + "00" * 11]
    made(tmp_path).add(ids, some(0, 3))
    assert VectorFile(tmp_path).ids.tolist() == ids


def test_the_matrix_is_mapped_until_something_is_replaced(tmp_path):
    store = made(tmp_path)
    store.add([sample_id(i) for i in range(3)], some(0, 3))
    assert isinstance(store.matrix, np.memmap)
    store.add([sample_id(0)], some(1))
    assert store.ids.tolist() == [sample_id(1), sample_id(2), sample_id(0)]
    assert (store.matrix[-1] == some(1)[0]).all()
    with pytest.raises(ValueError, match="read-only"):
        store.matrix[0] = 0
    assert isinstance(store.stored, np.memmap)  # what searches still copies nothing
    assert len(store.stored) == 4


@given(
    replaced=st.sets(st.integers(0, 39)),
    removed=st.sets(st.integers(0, 39), max_size=30),
    searched=st.sets(st.integers(0, 9), min_size=1),
    k=st.integers(1, 12),
)
@settings(max_examples=40, deadline=None)
def test_search_sees_neither_replaced_nor_removed_rows(replaced, removed, searched, k):
    with tempfile.TemporaryDirectory() as folder:
        store = made(folder)
        store.add([sample_id(i) for i in range(40)], some(0, 40))
        store.add([sample_id(i) for i in replaced], some(1, 40)[list(replaced)])
        store.remove([sample_id(i) for i in removed])
        query = some(2)[0]
        exact = store.scores(query)
        assert (exact == scores(store.matrix, query)).all()
        assert (store.above(query, 0.2) == np.flatnonzero(exact > 0.2)).all()
        asked = [sample_id(i) for i in range(41)]
        known = {i: place for place, i in enumerate(store.ids.tolist())}
        assert store.find(asked).tolist() == [known.get(i, -1) for i in asked]
        among = np.array(sorted(i for i in searched if i < len(store)), dtype=np.int64)
        for asked in (None, among):
            rows = np.arange(len(store)) if asked is None else asked
            found, exact = store.top_k(query, k, asked)
            place, expected = top_k(store.matrix[rows], query, k, store.ids[rows])
            assert found.tolist() == store.ids[rows[place]].tolist()
            assert (exact == expected).all()


operations = st.lists(
    st.tuples(
        st.sampled_from(["add", "remove", "reopen"]),
        st.lists(st.integers(0, 8), max_size=5),
        st.integers(0, 1000),
    ),
    max_size=12,
)


@given(operations)
@settings(max_examples=40, deadline=None)
def test_it_behaves_like_a_dict(operations):
    with tempfile.TemporaryDirectory() as folder:
        store, model, changed = made(folder), {}, set()
        position = store.position
        for step, (operation, numbers, seed) in enumerate(operations):
            ids = [sample_id(number) for number in numbers]
            if step == len(operations) // 2:
                position, changed = store.position, set()
            if operation == "add":
                rows = some(seed, len(ids))
                store.add(ids, rows)
                model.update(zip(ids, rows, strict=True))
                changed |= set(ids)
            elif operation == "remove":
                store.remove(ids)
                model = {i: row for i, row in model.items() if i not in ids}
                changed -= set(ids)
            else:
                store = VectorFile(folder)
        assert set(store.ids) == set(model)
        assert len(store) == len(store.matrix) == len(model)
        for i, row in zip(store.ids.tolist(), store.matrix, strict=True):
            assert (row == model[i]).all()
            assert (store.get([i])[0] == model[i]).all()
        assert set(store.since(position)) == changed
        assert store.damaged() == []


@given(cut=st.integers(0, 200), rubbish=st.binary(max_size=60))
@settings(max_examples=60, deadline=None)
def test_a_torn_tail_was_never_there(cut, rubbish):
    with tempfile.TemporaryDirectory() as folder:
        store = made(folder)
        store.add([sample_id(1), sample_id(2)], some(0, 2))
        kept = store.folder.joinpath("rows.log").stat().st_size
        store.add([sample_id(3), sample_id(4)], some(1, 2))
        log = store.folder / "rows.log"
        whole = log.read_bytes()
        log.write_bytes(whole[: kept + cut % (len(whole) - kept)] + rubbish)
        found = VectorFile(folder)
        assert found.ids.tolist() == [sample_id(1), sample_id(2)]
        found.add([sample_id(5)], some(5))
        again = VectorFile(folder)
        assert again.ids.tolist() == [sample_id(1), sample_id(2), sample_id(5)]
        assert (again.matrix == np.concatenate([some(0, 2), some(5)])).all()


def test_vectors_without_records_are_cut_off_by_the_next_writer(tmp_path):
    made(tmp_path).add([sample_id(1)], some(1))
    with (tmp_path / "vectors.f32").open("ab") as file:
        file.write(b"left by a crash")
    store = made(tmp_path)
    store.add([sample_id(2)], some(2))
    assert (store.matrix == np.concatenate([some(1), some(2)])).all()
    assert (tmp_path / "vectors.f32").stat().st_size == 2 * DIM * 4


def test_damage_before_the_tail_is_reported_and_not_cut_off(tmp_path):
    store = made(tmp_path)
    for number in range(3):
        store.add([sample_id(number)], some(number))
    log = tmp_path / "rows.log"
    broken = bytearray(log.read_bytes())
    broken[3] ^= 1
    log.write_bytes(broken)
    with pytest.raises(EvalsetsError, match="broken batch at record 0; delete"):
        VectorFile(tmp_path)
    assert log.read_bytes() == broken


def test_lost_vectors_are_reported(tmp_path):
    made(tmp_path).add([sample_id(1)], some(1))
    (tmp_path / "vectors.f32").write_bytes(b"")
    with pytest.raises(EvalsetsError, match="shorter than its log"):
        _ = VectorFile(tmp_path).matrix


def test_a_changed_vector_is_found_by_its_checksum(tmp_path):
    store = made(tmp_path)
    store.add([sample_id(i) for i in range(5)], some(0, 5))
    store.remove([sample_id(0)])
    with (tmp_path / "vectors.f32").open("r+b") as file:
        file.seek(3 * DIM * 4)
        file.write(b"\1")
    assert VectorFile(tmp_path).damaged() == [sample_id(3)]


APPEND_FOREVER = """
import sys, numpy as np
from evalsets.similarity import VectorFile
store = VectorFile.create(sys.argv[1], 64, "tiny", "f00d")
for batch in range(1_000_000):
    ids = [f"{batch:012x}{i:012x}" for i in range(300)]
    store.add(ids, np.random.default_rng(batch).standard_normal((300, 64)))
    print(batch, flush=True)
"""


def test_kill_9_at_any_moment_leaves_whole_batches(tmp_path):
    chance = random.Random(5)
    promised = -1
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", APPEND_FOREVER, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        promised = max(promised, int(process.stdout.readline()))
        time.sleep(chance.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        said = process.communicate()[0].split()
        promised = max([promised, *map(int, said)])
        found = VectorFile(tmp_path)
        batches = {i[:12] for i in found.ids.tolist()}
        assert len(found) == 300 * len(batches)
        assert len(batches) >= promised + 1  # what was acknowledged is there
        for batch in batches:
            ids = [f"{batch}{i:012x}" for i in range(300)]
            rows = np.random.default_rng(int(batch, 16)).standard_normal((300, 64))
            assert (found.get(ids) == unit(rows)).all()


HOLD_LOCK = """
import sys
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_writer_is_told_and_readers_are_not_stopped(tmp_path):
    made(tmp_path).add([sample_id(1)], some(1))
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        other.stdout.readline()
        store = VectorFile(tmp_path, patience=0.1)
        assert len(store) == 1
        with pytest.raises(LockedError, match="Another process has been writing"):
            store.add([sample_id(2)], some(2))
    finally:
        other.communicate()
    store.add([sample_id(2)], some(2))
    assert len(VectorFile(tmp_path)) == 2


def test_two_open_writers_take_turns(tmp_path):
    first, second = made(tmp_path), made(tmp_path)
    for number in range(6):
        (first, second)[number % 2].add([sample_id(number)], some(number))
    first.refresh()
    assert len(first) == len(second) == 6
    assert (first.matrix == np.concatenate([some(i) for i in range(6)])).all()


@pytest.mark.parametrize(
    ("ids", "rows", "says"),
    [
        (["abc"], [[1, 0, 0, 0]], "'abc' is not a sample id"),
        ([sample_id(1).upper().replace("0", "A")], [[1, 0, 0, 0]], "not a sample id"),
        ([sample_id(1)], [[1, 0, 0]], r"Vectors of shape \(1, 3\) for 1 samples"),
        (
            [sample_id(1), sample_id(2)],
            [[1, 0, 0, 0], [0, 0, 0, 0]],
            "Vector 1 is zero",
        ),
        ([sample_id(1)], [[1, 0, np.nan, 0]], "Vector 0 is zero or not finite"),
    ],
)
def test_bad_vectors_are_refused_and_nothing_is_written(tmp_path, ids, rows, says):
    store = made(tmp_path)
    with pytest.raises(ArgumentError, match=says):
        store.add(ids, rows)
    assert len(VectorFile(tmp_path)) == 0
    assert (tmp_path / "vectors.f32").stat().st_size == 0


def test_another_encoder_is_refused_by_both_names(tmp_path):
    made(tmp_path)
    with pytest.raises(EncoderError, match=r"'tiny' \(f00d.*not by 'big' \(beef"):
        VectorFile.create(tmp_path, DIM, "big", "beef")


def test_files_made_anew_are_noticed(tmp_path):
    store = made(tmp_path)
    store.add([sample_id(1)], some(1))
    kept = store.matrix
    made(tmp_path).delete()
    assert (kept == some(1)).all()
    with pytest.raises(NoVectorsError, match="embed the dataset first"):
        VectorFile(tmp_path)
    made(tmp_path)
    with pytest.raises(EncoderError, match="open them again"):
        store.refresh()


def test_opening_a_file_again_shows_what_others_wrote_and_changes_nobody_else(tmp_path):
    store = made(tmp_path)
    store.add([sample_id(i) for i in range(4)], some(0, 4))
    assert store.find([sample_id(2)]).tolist() == [2]  # what is worked out is kept
    before = store.again()
    other = VectorFile(tmp_path)
    other.remove([sample_id(2)])
    other.add([sample_id(0), sample_id(7)], some(1, 2))
    after = before.again()
    expected = [sample_id(i) for i in (1, 3, 0, 7)]
    assert after.ids.tolist() == VectorFile(tmp_path).ids.tolist() == expected
    assert after.find([sample_id(2), sample_id(7)]).tolist() == [-1, 3]
    assert sample_id(2) not in after
    assert "a bridge" not in after
    best = after.top_k(some(1, 2)[0], 1)[0].tolist()
    assert best == [sample_id(0)]
    for earlier in (store, before):
        assert earlier.ids.tolist() == [sample_id(i) for i in range(4)]
        assert earlier.find([sample_id(2)]).tolist() == [2]


def test_a_log_put_back_from_an_older_copy_is_noticed(tmp_path):
    store = made(tmp_path)
    store.add([sample_id(1)], some(1))
    older = (tmp_path / "rows.log").read_bytes()
    store.add([sample_id(2)], some(2))
    (tmp_path / "rows.log").write_bytes(older)
    VectorFile(tmp_path).remove([sample_id(1)])  # as long as before, and another
    with pytest.raises(EncoderError, match="open them again"):
        store.again()


def test_a_sample_without_a_vector_is_named(tmp_path):
    with pytest.raises(NoVectorsError, match=f"'{sample_id(9)}' first; embed them"):
        made(tmp_path).get([sample_id(9)])


def test_an_unknown_position_or_format_is_refused(tmp_path):
    store = made(tmp_path)
    with pytest.raises(ArgumentError, match="start again from 0"):
        store.since(7)
    header = tmp_path / "header.json"
    header.write_text(json.dumps(json.loads(header.read_text()) | {"format": 2}))
    with pytest.raises(EvalsetsError, match="has format 2, not 1"):
        VectorFile(tmp_path)
    header.write_text("{")
    with pytest.raises(EvalsetsError, match="is not JSON"):
        VectorFile(tmp_path)


def test_the_log_holds_24_bytes_a_sample(tmp_path):
    store = made(tmp_path)
    store.add([sample_id(1)], some(1))
    data = (tmp_path / "rows.log").read_bytes()
    assert len(data) == 2 * 24
    assert data[:12] == bytes.fromhex(sample_id(1))
    assert int.from_bytes(data[20:24], "little") == zlib.crc32(some(1))
