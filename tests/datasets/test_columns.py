import fiftyone as fo
import pytest

from evalsets.datasets.columns import gather_fields, reading_once

pytestmark = pytest.mark.db


@pytest.fixture
def filled(dataset):
    def boxes(n):
        given = [{}, {"iscrowd": 1, "confidence": 0.5}]
        box = [0, 0.25, 0.5, 1]
        return fo.Detections(
            detections=[
                fo.Detection(label=f"l{at}", bounding_box=box, **given[at % 2])
                for at in range(n)
            ]
        )

    dataset.add_samples(
        [
            fo.Sample(
                f"/{n}.png",
                n=n,
                kind=fo.Classification(label=f"k{n}", logits=[1.0, 2.0]),
                boxes=None if n == 2 else boxes(n),
            )
            for n in range(5)
        ]
    )
    return dataset


@pytest.mark.parametrize(
    "paths",
    [
        ["n", "kind.label", "kind.confidence"],
        ["boxes.detections.label", "boxes.detections.bounding_box", "n"],
        ["boxes.detections.iscrowd", "boxes.detections.confidence"],
        ["boxes.detections.id", "tags"],
        ["metadata.width", "nowhere"],
    ],
)
def test_columns_are_those_of_fiftyone_by_rising_id(filled, paths):
    for view in (filled.view(), filled.sort_by("n", reverse=True), filled.limit(0)):
        known = [path for path in paths if path != "nowhere"]
        ids, columns = gather_fields(view, paths)
        rows = dict(zip(*view.values(["id", known[0]]), strict=True))
        assert ids == sorted(rows)
        assert columns[0] == [rows[i] for i in ids]
        for path, column in zip(paths[1:], columns[1:], strict=True):
            if path in known:
                theirs = dict(zip(*view.values(["id", path]), strict=True))
                assert column == [theirs[i] for i in ids]


def test_what_is_read_once_stays_as_it_was_first(filled):
    view = filled.view()
    with reading_once():
        before = gather_fields(view, ["n"])
        filled.set_values("n", [7] * 5)
        assert gather_fields(view, ["n"]) == before
        assert gather_fields(view, ["n", "kind.label"])[1][0] == before[1][0]
        assert gather_fields(filled.limit(2), ["n"])[1] == [[7, 7]]
    assert gather_fields(view, ["n"])[1] == [[7] * 5]


def test_all_is_read_anew_once_samples_have_come(filled):
    view = filled.view()
    with reading_once():
        gather_fields(view, ["n"])
        filled.add_sample(fo.Sample("/new.png", n=9))
        ids, (numbers, labels) = gather_fields(view, ["n", "kind.label"])
        assert (len(ids), numbers[-1], labels[-1]) == (6, 9, None)
        assert gather_fields(view, ["n"])[1] == [numbers]
