"""What FiftyOne asks of every similarity index, with vectors of the index's own."""

import random

import fiftyone as fo
import fiftyone.brain as fob
import numpy as np
import pytest
from fiftyone import ViewField as F
from sklearn.metrics import pairwise_distances

from evalsets.errors import ArgumentError, NoVectorsError

pytestmark = pytest.mark.db


@pytest.fixture
def own(points):
    """A saved index over given vectors, with its dataset and the vectors."""
    dataset, vectors = points
    index = fob.compute_similarity(
        dataset, embeddings=vectors, backend="faiss", brain_key="own"
    )
    return dataset, vectors, index


@pytest.fixture
def labels(dataset):
    """Eight samples with three boxes each, and a vector a box by label id."""
    rng = np.random.default_rng(3)
    for number in range(8):
        boxes = [
            fo.Detection(label=label, bounding_box=[0.1, 0.1, 0.5, 0.5])
            for label in ("person", "car", "person")
        ]
        dataset.add_sample(
            fo.Sample(f"{number}.png", gt=fo.Detections(detections=boxes))
        )
    ids = dataset.values("gt.detections.id", unwind=True)
    return dataset, dict(zip(ids, rng.normal(size=(24, 6)), strict=True))


@pytest.fixture
def boxes(labels):
    """A saved index over labels."""
    dataset, vectors = labels
    by_sample = {
        sample.id: np.stack([vectors[box.id] for box in sample.gt.detections])
        for sample in dataset
    }
    index = fob.compute_similarity(
        dataset,
        patches_field="gt",
        embeddings=by_sample,
        backend="faiss",
        brain_key="boxes",
    )
    return dataset, vectors, index


def by_distance(ids, vectors, query):
    """Ids by cosine distance, then by id, and the distances."""
    distance = pairwise_distances(np.atleast_2d(query), vectors, metric="cosine")[0]
    order = sorted(range(len(ids)), key=lambda i: (round(distance[i], 6), ids[i]))
    return [ids[i] for i in order], distance[order]


def units(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_an_index_is_filled_saved_loaded_emptied_and_deleted(points):
    dataset, vectors = points
    index = fob.compute_similarity(
        dataset, embeddings=False, backend="faiss", brain_key="own"
    )
    assert index.total_index_size == 0
    ids = dataset.values("id")
    index.add_to_index(vectors, ids)
    index.save()
    index.reload()
    assert (index.total_index_size, index.index_size) == (40, 40)
    assert index.missing_size is None

    dataset.clear_cache()
    index = dataset.load_brain_results("own")
    assert set(index.sample_ids) == set(ids)
    assert index.label_ids is None
    assert not index.supports_prompts
    found, sample_ids, label_ids = index.get_embeddings()
    assert found.shape == (40, 16)
    assert label_ids is None
    some = random.Random(1).sample(ids, 15)
    found, sample_ids, _ = index.get_embeddings(sample_ids=some)
    assert sample_ids.tolist() == some
    expected = units(vectors[[ids.index(i) for i in some]])
    assert np.allclose(found, expected, atol=1e-6)

    index.remove_from_index(sample_ids=some)
    assert index.total_index_size == 25
    with pytest.raises(ArgumentError, match="not in the index"):
        index.remove_from_index(sample_ids=some, allow_missing=False)
    with pytest.raises(ArgumentError, match="not in the index"):
        index.get_embeddings(sample_ids=some, allow_missing=False)
    assert len(index.get_embeddings(sample_ids=[*some, ids[0]])[1]) <= 1
    index.cleanup()
    assert index.total_index_size == 0
    dataset.delete_brain_run("own")
    assert not dataset.has_brain_runs


def test_labels_are_indexed_like_samples(boxes):
    dataset, vectors, _ = boxes
    dataset.clear_cache()
    index = dataset.load_brain_results("boxes")
    assert index.total_index_size == index.index_size == 24
    assert set(index.label_ids) == set(vectors)
    found, sample_ids, label_ids = index.get_embeddings()
    assert np.allclose(
        found, units(np.stack([vectors[i] for i in label_ids])), atol=1e-6
    )
    owner = {box.id: sample.id for sample in dataset for box in sample.gt.detections}
    assert [owner[i] for i in label_ids] == sample_ids.tolist()
    first = dataset.first()
    _, _, of_first = index.get_embeddings(sample_ids=first.id)
    assert set(of_first) == {box.id for box in first.gt.detections}
    some = list(vectors)[4:11]
    index.remove_from_index(label_ids=some)
    assert index.total_index_size == 17
    index.add_to_index(
        np.stack([vectors[i] for i in some]), [owner[i] for i in some], label_ids=some
    )
    assert index.total_index_size == 24
    index.remove_from_index(sample_ids=[first.id])
    assert index.total_index_size == 21


def test_labels_are_sorted_by_similarity(boxes):
    dataset, vectors, _ = boxes
    query = dataset.first().gt.detections[0].id
    view = dataset.sort_by_similarity(query, k=3, brain_key="boxes")
    assert view.count("gt.detections") == 3
    patches = dataset.to_patches("gt")
    expected, _ = by_distance(
        list(vectors), np.stack(list(vectors.values())), vectors[query]
    )
    assert patches.sort_by_similarity(query).values("id") == expected
    assert (
        patches.sort_by_similarity(query, reverse=True).values("id") == expected[::-1]
    )
    assert patches.sort_by_similarity(query, k=4).values("id") == expected[:4]


def test_labels_of_a_view_are_searched_alone(boxes):
    dataset, vectors, index = boxes
    people = dataset.filter_labels("gt", F("label") == "person")
    index.use_view(people)
    wanted = people.values("gt.detections.id", unwind=True)
    assert index.index_size == len(wanted) == 16
    assert set(index.current_label_ids) == set(wanted)
    found = index.sort_by_similarity(vectors[wanted[3]], k=5)
    assert set(found.values("gt.detections.id", unwind=True)) <= set(wanted)
    index.clear_view()
    assert index.index_size == 24


def test_a_deleted_label_leaves_the_index_when_it_is_read_again(boxes):
    dataset, _, index = boxes
    sample = dataset.first()
    gone = sample.gt.detections.pop().id
    sample.save()
    index.reload()
    assert index.total_index_size == 23
    assert gone not in index.label_ids
    dataset.clear_cache()
    assert dataset.load_brain_results("boxes").total_index_size == 23


def test_samples_are_sorted_by_similarity_to_an_id_and_to_a_vector(own):
    dataset, vectors, index = own
    ids = dataset.values("id")
    expected, distance = by_distance(ids, vectors, vectors[5])
    assert dataset.sort_by_similarity(ids[5]).values("id") == expected
    backwards = dataset.sort_by_similarity(ids[5], reverse=True, brain_key="own")
    assert backwards.values("id") == expected[::-1]
    assert dataset.sort_by_similarity(ids[5], k=4).values("id") == expected[:4]
    view = index.sort_by_similarity(vectors[5] * 30, k=9, dist_field="far")
    assert view.values("id") == expected[:9]
    assert view.values("far") == pytest.approx(distance[:9], abs=1e-6)
    assert dataset.sort_by_similarity(vectors[5], k=9).values("id") == expected[:9]


@pytest.mark.parametrize("k", [None, 6])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("aggregation", ["mean", "post-mean", "post-min", "post-max"])
def test_several_queries_are_aggregated(own, aggregation, k, reverse):
    dataset, vectors, index = own
    ids = dataset.values("id")
    each = pairwise_distances(vectors[[1, 3, 9]], vectors, metric="cosine")
    if aggregation == "mean":
        mean = units(vectors[[1, 3, 9]]).mean(axis=0)[None]
        each = pairwise_distances(mean, vectors, metric="cosine")
    combine = {"post-min": np.min, "post-max": np.max}.get(aggregation, np.mean)
    distance = combine(each, axis=0)
    order = sorted(range(40), key=lambda i: (round(distance[i], 6), ids[i]))
    order = (order[::-1] if reverse else order)[:k]
    view = index.sort_by_similarity(
        [ids[1], ids[3], ids[9]], k=k, reverse=reverse, aggregation=aggregation
    )
    assert view.values("id") == [ids[i] for i in order]


def test_many_queries_give_a_list_each(own):
    dataset, vectors, index = own
    ids = dataset.values("id")
    found, labels, distances = index._kneighbors(ids[20:24], k=3, return_dists=True)
    assert labels is None
    for row, near, far in zip(range(20, 24), found, distances, strict=True):
        expected, distance = by_distance(ids, vectors, vectors[row])
        assert near == expected[:3]
        assert far == pytest.approx(distance[:3], abs=1e-6)
    near, _ = index._kneighbors(vectors[20], k=3)
    assert near == found[0]
    positions, far = index._kneighbors(k=1, return_dists=True)
    alone = pairwise_distances(vectors, metric="cosine")
    np.fill_diagonal(alone, 9)
    assert np.concatenate(far) == pytest.approx(alone.min(axis=1), abs=1e-6)
    assert len(positions) == 40
    assert len(index._kneighbors()[0]) == 39


def test_a_view_is_searched_alone_and_may_hold_what_the_index_does_not(own):
    dataset, vectors, index = own
    dataset.add_sample(fo.Sample("new.png", number=40))
    ids = dataset.values("id")
    view = dataset.match(F("number") > 25)
    expected, _ = by_distance(ids[26:40], vectors[26:], vectors[2])
    with index.use_view(view):
        assert (index.index_size, index.missing_size) == (14, 1)
        assert index.sort_by_similarity(ids[2]).values("id") == expected
        assert index.sort_by_similarity(ids[2], k=3).values("id") == expected[:3]
        found, _ = index._kneighbors(ids[2:4], k=3)
        assert found[0] == expected[:3]
    assert index.index_size == 40
    assert view.sort_by_similarity(ids[2], k=3).values("id") == expected[:3]
    assert len(dataset.limit(0).sort_by_similarity(ids[2], k=3)) == 0
    with pytest.raises(ValueError, match="not present"):
        _ = index.use_view(view, allow_missing=False).index_size


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("aggregation", ["mean", "post-min"])
def test_a_view_is_ranked_whether_it_holds_the_nearest_or_the_farthest(
    dataset, aggregation, reverse
):
    rng = np.random.default_rng(11)
    dataset.add_samples([fo.Sample(f"{n}.png", number=n) for n in range(200)])
    ids, vectors = dataset.values("id"), rng.normal(size=(200, 8))
    index = fob.compute_similarity(
        dataset, embeddings=vectors, backend="faiss", brain_key="own"
    )
    index.remove_from_index(sample_ids=ids[50:60])
    asked = {
        "query": ids[:2] if aggregation == "post-min" else ids[0],
        "aggregation": aggregation,
        "reverse": reverse,
    }
    order = index._kneighbors(**asked)[0]
    kept = random.Random(4).sample(order, 60)
    for view in (
        dataset.select(order[:20]),
        dataset.select(order[-20:]),
        dataset.select(order[:2] + order[-20:] + ids[50:60]),
        dataset.select(kept).limit(40),
        dataset.select(kept, ordered=True).skip(5),
    ):
        held = set(view.values("id"))
        expected = [i for i in order if i in held]
        for k in (1, 3, 12, 100):
            with index.use_view(view):
                assert index._kneighbors(**asked, k=k)[0] == expected[:k]


def test_near_duplicates_and_leaks_are_found(own):
    dataset, _, _ = own
    ids = dataset.values("id")
    index = fob.compute_near_duplicates(dataset, threshold=0.01, similarity_index="own")
    copies = {ids[3]: [ids[11], ids[12]], ids[8]: [ids[25]]}
    found = {
        key: sorted(i for i, _ in near) for key, near in index.neighbors_map.items()
    }
    assert found == copies
    assert sorted(index.duplicate_ids) == [ids[11], ids[12], ids[25]]
    assert len(index.unique_ids) == 37
    shown = index.duplicates_view(type_field="kind", id_field="of", dist_field="far")
    assert len(shown) == 5
    assert len(index.unique_view()) == 37
    dataset.set_values("half", ["a"] * 12 + ["b"] * 28)
    leaks = fob.compute_leaky_splits(
        dataset, "half", threshold=0.01, similarity_index="own"
    )
    assert set(leaks.leak_ids) == {ids[3], ids[12], ids[8], ids[25]}


def test_a_number_or_a_fraction_of_unique_samples_is_found(own):
    _, _, index = own
    index.find_unique(10)
    assert len(index.unique_ids) == 10
    index.find_duplicates(fraction=0.25)
    assert len(index.duplicate_ids) == 10
    assert index.plot_distances() is not None


def test_copies_of_labels_are_found(boxes):
    dataset, vectors, index = boxes
    ids = list(vectors)
    sample = dataset.last()
    copy = sample.gt.detections[0].id
    index.add_to_index(vectors[ids[0]][None] * 2, [sample.id], label_ids=[copy])
    index.find_duplicates(thresh=0.001)
    assert [i for i, _ in index.neighbors_map[ids[0]]] == [copy]


def test_fiftyones_other_methods_take_the_index(own):
    dataset, vectors, index = own
    fob.compute_uniqueness(dataset, similarity_index=index)
    nearest = np.sort(pairwise_distances(vectors, metric="cosine"), axis=1)[:, 1:4]
    expected = (nearest * [0.6, 0.3, 0.1]).mean(axis=1)
    found = dataset.values("uniqueness")
    assert found == pytest.approx(expected / expected.max(), abs=1e-5)
    fob.compute_representativeness(dataset, similarity_index="own")
    assert None not in dataset.values("representativeness")
    shown = fob.compute_visualization(
        dataset, similarity_index="own", method="pca", brain_key="map"
    )
    assert shown.points.shape == (40, 2)


def test_what_is_there_is_replaced_kept_or_refused_as_asked(own):
    dataset, vectors, index = own
    ids = dataset.values("id")
    other = -vectors[:2]
    index.add_to_index(other, ids[:2], overwrite=False)
    assert np.allclose(index.get_embeddings(ids[:2])[0], units(vectors[:2]), atol=1e-6)
    with pytest.raises(ArgumentError, match="are in the index"):
        index.add_to_index(other, ids[:2], overwrite=False, allow_existing=False)
    index.add_to_index(other, ids[:2])
    assert np.allclose(index.get_embeddings(ids[:2])[0], units(other), atol=1e-6)
    assert index.total_index_size == 40


@pytest.mark.parametrize(
    ("vectors", "ids", "said"),
    [
        (np.ones((2, 15)), 2, "15"),
        (np.ones((2, 16)), 3, "one row an id"),
        (np.zeros((2, 16)), 2, "zero"),
        (np.full((2, 16), np.nan), 2, "not finite"),
    ],
)
def test_what_is_no_vector_is_refused_and_nothing_changes(own, vectors, ids, said):
    dataset, _, index = own
    with pytest.raises(ArgumentError, match=said):
        index.add_to_index(vectors, dataset.values("id")[:ids])
    assert index.total_index_size == 40


def test_a_query_that_cannot_be_answered_is_refused(own):
    dataset, vectors, index = own
    with pytest.raises(ArgumentError, match="length 16"):
        index.sort_by_similarity(np.ones(15))
    with pytest.raises(ArgumentError, match="length 16"):
        index._kneighbors(np.ones((2, 15)), k=2)
    with pytest.raises(NoVectorsError, match="no vector of"):
        index.sort_by_similarity("0" * 24)
    with pytest.raises(ValueError, match="does not support prompts"):
        index.sort_by_similarity("a road")
    with pytest.raises(ArgumentError, match="sample_ids"):
        index.get_embeddings(label_ids=["0" * 24])
    with pytest.raises(ArgumentError, match="cosine"):
        fob.compute_similarity(
            dataset, embeddings=vectors, backend="faiss", metric="euclidean"
        )
    index.remove_from_index(sample_ids=dataset.values("id"))
    with pytest.raises(NoVectorsError, match="has no vectors"):
        index.sort_by_similarity(vectors[0])


def test_vectors_come_from_a_field_a_dict_or_a_model(points):
    dataset, vectors = points
    dataset.set_values("emb", vectors.tolist())
    kept = dict(zip(dataset.values("id"), vectors, strict=True))
    for given in ("emb", kept):
        index = fob.compute_similarity(dataset, embeddings=given, backend="faiss")
        assert np.allclose(index.get_embeddings()[0], units(vectors), atol=1e-6)


def test_frames_of_a_video_are_indexed(dataset):
    for name in ("a.mp4", "b.mp4"):
        video = fo.Sample(name)
        for number in (1, 2, 3):
            video.frames[number] = fo.Frame(filepath=f"{name}{number}.png")
        dataset.add_sample(video)
    frames = dataset.to_frames(sample_frames=False)
    vectors = np.random.default_rng(1).normal(size=(6, 4))
    fob.compute_similarity(
        frames, embeddings=vectors, backend="faiss", brain_key="frames"
    )
    ids = frames.values("id")
    expected, _ = by_distance(ids, vectors, vectors[2])
    assert frames.sort_by_similarity(ids[2]).values("id") == expected


def test_slices_of_groups_are_indexed(dataset):
    dataset.add_group_field("group", default="left")
    for number in range(4):
        group = fo.Group()
        for side in ("left", "right"):
            dataset.add_sample(
                fo.Sample(f"{number}{side}.png", group=group.element(side))
            )
    sides = dataset.select_group_slices(["left", "right"])
    vectors = np.random.default_rng(1).normal(size=(8, 4))
    index = fob.compute_similarity(
        sides, embeddings=vectors, backend="faiss", brain_key="sides"
    )
    assert index.total_index_size == 8
    ids = sides.values("id")
    expected, _ = by_distance(ids, vectors, vectors[2])
    assert sides.sort_by_similarity(ids[2]).values("id") == expected
