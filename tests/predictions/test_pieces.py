"""A source read in pieces is the source; its memory does not grow with the file."""

import json
import tracemalloc
from itertools import chain

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsets.errors import PredictionsError
from evalsets.predictions import Keys, Placing, json_items, read_tables, sources

ROWS = [
    {"key": f"{at}.jpg", "label": "cat" if at % 3 else "dog", "confidence": at / 10}
    for at in range(8)
]
BOXES = [
    {"image_id": at // 3, "category_id": 1, "bbox": [at, 1, 5, 5], "score": at / 10}
    for at in range(8)
]


def files(folder):
    frame = pd.DataFrame(ROWS)
    frame.to_csv(folder / "p.csv", index=False)
    frame.to_parquet(folder / "p.parquet")
    np.savez(
        folder / "p.npz",
        **{
            name: frame[name].to_numpy(dtype=None if name == "confidence" else str)
            for name in frame
        },
    )
    (folder / "p.json").write_text(json.dumps(ROWS, indent=1))
    (folder / "p.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    keyed = {row["key"]: {k: row[k] for k in ("label", "confidence")} for row in ROWS}
    (folder / "keyed.json").write_text(json.dumps(keyed))
    return [*sorted(folder.iterdir()), ROWS, frame, keyed]


@pytest.mark.parametrize("size", [1, 3, 8])
def test_pieces_add_up_to_the_whole(tmp_path, monkeypatch, size):
    monkeypatch.setattr(sources, "ROWS", size)
    for source in files(tmp_path):
        tables = list(read_tables(source))
        assert len(tables) == -(-len(ROWS) // size), source
        read = [
            {"key": k, "label": label, "confidence": c}
            for t in tables
            for k, label, c in zip(t.keys, t.labels, t.confidences, strict=True)
        ]
        assert read == ROWS, source


def test_boxes_of_an_image_may_lie_in_several_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "ROWS", 2)
    path = tmp_path / "results.json"
    path.write_text(json.dumps(BOXES))
    placing = Placing(Keys(["0", "1", "2"]), np.full((3, 2), 100.0))
    found = [placing.place(t) for t in read_tables(path, classes={1: "cat"})]
    assert [places.tolist() for _, places, _ in found] == [[0], [0, 1], [1], [2]]
    assert [before.tolist() for *_, before in found] == [
        [False],
        [True, False],
        [True],
        [False],
    ]
    boxes = np.concatenate([table.boxes for table, *_ in found])
    assert boxes[:, 0].tolist() == pytest.approx([at / 100 for at in range(8)])


def test_what_the_first_piece_settles_holds_for_all(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "ROWS", 1)
    table = "id,label,cat,dog\na,cat,0.9,0.1\nb,cow,0.5,0.5\n"
    (tmp_path / "p.csv").write_text(table)
    with pytest.raises(PredictionsError, match="'cow' has no column"):
        list(read_tables(tmp_path / "p.csv"))
    (tmp_path / "p.csv").write_text("id,label,ms\na,cat,31\nb,cat,fast\n")
    assert [t.labels for t in read_tables(tmp_path / "p.csv")] == [["cat"], ["cat"]]
    (tmp_path / "p.csv").write_text("id,label,confidence\na,cat,\nb,cat,0.5\n")
    with pytest.raises(PredictionsError, match="give all or none"):
        list(read_tables(tmp_path / "p.csv"))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(
    value=st.lists(VALUES) | st.dictionaries(st.text(), VALUES),
    indent=st.sampled_from([None, 1]),
    piece=st.integers(1, 30),
)
def test_json_in_pieces_is_json(tmp_path_factory, value, indent, piece):
    path = tmp_path_factory.mktemp("json") / "p.json"
    path.write_text(json.dumps(value, indent=indent))
    expected = value if isinstance(value, list) else list(value.items())
    if isinstance(value, dict) and "annotations" in value:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_items, "_PIECE", piece)
        assert list(chain.from_iterable(sources.read_chunks(path, None))) == expected


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 300))
def test_json_cut_anywhere_is_refused(tmp_path_factory, cut):
    text = json.dumps(ROWS[:5])
    path = tmp_path_factory.mktemp("json") / "p.json"
    path.write_text(text[: cut % len(text)])
    with pytest.raises(PredictionsError, match="cut off"):
        list(sources.read_chunks(path, None))


def peak(path, **options):
    """Bytes held at most while all tables are read and dropped."""
    tracemalloc.start()
    for _ in read_tables(path, **options):
        pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


@pytest.mark.parametrize("kind", ["csv", "json", "npz", "parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(sources, "ROWS", 2_000)
    monkeypatch.setattr(json_items, "_PIECE", 1 << 14)
    found = []
    for n in (20_000, 60_000):
        path = tmp_path / f"{n}.{kind}"
        frame = pd.DataFrame({"key": np.arange(n).astype(str), "label": "cat"})
        frame["confidence"] = 0.5
        if kind == "csv":
            frame.to_csv(path, index=False)
        elif kind == "parquet":
            frame.to_parquet(path, row_group_size=2_000)
        elif kind == "npz":
            arrays = {c: frame[c].to_numpy() for c in frame}
            np.savez(
                path,
                **{
                    **arrays,
                    "key": arrays["key"].astype("U8"),
                    "label": arrays["label"].astype("U8"),
                },
            )
        else:
            path.write_text(frame.to_json(orient="records"))
        found.append(peak(path))
    assert found[1] < 2 * found[0]
