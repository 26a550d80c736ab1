import re
import shutil
import subprocess
import sys
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest

import evalsets as es
from evalsets.datasets.connect import open_dataset
from evalsets.datasets.vectors import encoder_of, open_vectors
from evalsets.encoders.encoder import prompt_vector
from evalsets.errors import (
    ArgumentError,
    EncoderError,
    NoVectorsError,
    QueryError,
    UnknownNameError,
)
from evalsets.similarity import scores, unit

pytestmark = pytest.mark.db
CUT = 0.3


@pytest.fixture
def embedded(drawn, encoder):
    es.embed(drawn, encoder)
    return drawn


def _scores(dataset, prompt):
    """Cosines by sample id, by plain numpy."""
    file = open_vectors(open_dataset(dataset))
    query = prompt_vector(encoder_of(dataset), prompt)
    return dict(zip(file.ids.tolist(), file.matrix @ query, strict=True))


def test_text_finds_what_it_says(embedded):
    found = es.search(embedded, "RANK(text('a factory floor')) <= 10")
    assert found.count_values("ground_truth.label") == {"factory floor": 10}


def test_a_threshold_keeps_just_the_samples_above_it(embedded):
    score = _scores(embedded, "a bridge")
    found = set(es.search(embedded, f"text('a bridge') > {CUT}").values("id"))
    assert found == {i for i, s in score.items() if s > CUT}
    assert 0 < len(found) < len(embedded)


def test_fields_and_similarity_mix_in_one_expression(embedded):
    score, night = _scores(embedded, "a bridge"), _scores(embedded, "night")
    rows = zip(*embedded.values(["id", "num_people", "time"]), strict=True)
    expected = {
        i
        for i, people, time in rows
        if (people > 2 and score[i] > CUT) or (time == "day" and not night[i] > 0.1)
    }
    query = (
        f"num_people > 2 AND text('a bridge') > {CUT} "
        "OR time = 'day' AND NOT text('night') > 0.1"
    )
    assert set(es.search(embedded, query).values("id")) == expected


def test_similarity_may_be_compared_with_a_field(embedded):
    score = _scores(embedded, "a bridge")
    rows = zip(*embedded.values(["id", "num_people"]), strict=True)
    expected = {i for i, people in rows if score[i] * 10 > people}
    found = es.search(embedded, "text('a bridge') * 10 > num_people")
    assert set(found.values("id")) == expected


def test_a_condition_may_choose_the_prompt_by_a_field(embedded):
    night, day = _scores(embedded, "night"), _scores(embedded, "day")
    rows = dict(zip(*embedded.values(["id", "time"]), strict=True))
    expected = {i for i, t in rows.items() if (night if t == "night" else day)[i] > CUT}
    query = f"CASE time WHEN 'night' THEN text('night') ELSE text('day') END > {CUT}"
    assert set(es.search(embedded, query).values("id")) == expected


def test_against_takes_the_other_prompt_away(embedded):
    yes, no = _scores(embedded, "night"), _scores(embedded, "day")
    found = set(es.search(embedded, "text('night', against='day') > 0").values("id"))
    assert found == {i for i in yes if yes[i] - no[i] > 0}


def test_a_prompt_that_encoders_do_not_understand_is_told_with_a_better_query(embedded):
    query = "text('a bridge with no people') > 0.2"
    better = "text('a bridge') > 0.2 AND num_people = 0"
    with pytest.warns(es.PromptWarning, match=f"write: {re.escape(better)}") as told:
        es.search(embedded, query)
    assert [Path(one.filename).name for one in told] == ["test_search.py"]
    with pytest.warns(es.PromptWarning) as told:
        es.compose(embedded, [es.Population("bare", query)])
    assert [Path(one.filename).name for one in told] == ["test_search.py"]
    assert es.advise(embedded, query).proposal == better
    assert es.advise(embedded, f"{better} AND population('bare')") is None
    es.search(embedded, f"{better} AND population('bare')")


def test_several_prompts_stand_for_the_direction_between_them(embedded):
    encoder = encoder_of(embedded)
    wanted = unit(
        sum(unit(prompt_vector(encoder, p)) for p in ("night", "a bridge", "a sunset"))
    )
    file = open_vectors(embedded)
    expected = dict(zip(file.ids, scores(file.matrix, wanted), strict=True))
    prompts = "'night', 'a bridge', 'a sunset'"
    for text in (f"text({prompts})", "text('a sunset', 'night', 'a bridge')"):
        found = es.search(embedded, f"{text} > {CUT}").values("id")
        assert set(found) == {i for i, s in expected.items() if s > CUT}
        assert 0 < len(found) < len(embedded)


def test_more_like_these_images_and_less_like_those(embedded):
    file = open_vectors(embedded)
    liked, disliked = file.ids[[3, 20, 7]].tolist(), file.ids[[11, 30]].tolist()
    sides = [unit(file.get(ids).sum(axis=0)) for ids in (liked, disliked)]
    near, far = (scores(file.matrix, side) for side in sides)
    best = np.lexsort((file.ids, -(near - far)))[:9]
    these, those = (", ".join(map(repr, ids)) for ids in (liked, disliked))
    query = f"RANK(image({these}, against=({those}))) <= 9"
    assert set(es.search(embedded, query).values("id")) == set(file.ids[best])
    es.compose(embedded, es.Population("like these", query))
    kept = es.membership(embedded)["like these"]
    assert set(kept.index[kept]) == set(file.ids[best])


def test_an_image_is_most_like_itself(embedded):
    sample = embedded.skip(5).first()
    name = sample.filepath.rsplit("/", 1)[1]
    for argument in (sample.id, name, sample.filepath):
        found = es.search(embedded, f"RANK(image('{argument}')) = 1")
        assert found.values("id") == [sample.id]


def test_a_file_outside_the_dataset_may_be_the_example(embedded, tmp_path):
    sample = embedded.first()
    outside = tmp_path / "outside.jpg"
    shutil.copy(sample.filepath, outside)
    found = es.search(embedded, f"image('{outside}') > 0.999")
    assert sample.id in found.values("id")


def test_results_come_in_the_order_asked(embedded):
    score = _scores(embedded, "a harbour")
    query = "SELECT * FROM dataset ORDER BY text('a harbour') DESC LIMIT 7"
    expected = sorted(score, key=lambda i: (-score[i], i))[:7]
    assert es.search(embedded, query).values("id") == expected


@pytest.mark.parametrize("where", ["", "WHERE num_people > 1", f"WHERE {{}} > {CUT}"])
@pytest.mark.parametrize("missing", [0, 3])
def test_the_most_similar_come_first_whatever_else_is_asked(embedded, where, missing):
    embedded.add_samples([fo.Sample(f"/{i}.jpg", num_people=9) for i in range(missing)])
    one = "text('a harbour')"
    for view in (embedded, embedded.match(fo.ViewField("time") != "night")):
        matching = es.search(view, where.format(one) or "filepath <> ''").values("id")
        score = _scores(embedded, "a harbour")
        expected = sorted(matching, key=lambda i: (-score.get(i, -2), i))
        for limit in (1, 7, 500):
            query = f"{where.format(one)} ORDER BY {one} DESC LIMIT {limit}"
            found = es.search(view, query).values("id")
            assert found == expected[:limit]


def test_a_search_sees_what_another_process_did_since_the_last(embedded):
    query = "RANK(text('a factory floor')) <= 10"
    first = es.search(embedded, query).values("id")
    assert len(first) == 10
    gone, changed = first[:2]
    done = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE, embedded.name, gone, changed],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    again = es.search(embedded, query).values("id")
    assert set(first) - set(again) == {gone, changed}
    assert len(again) == 10
    assert changed in es.search(embedded, "mood = 'calm'").values("id")


_ELSEWHERE = """
import sys
import fiftyone as fo
from evalsets.datasets.vectors import open_vectors

name, gone, changed = sys.argv[1:]
dataset = fo.load_dataset(name)
dataset.delete_samples([gone])
file = open_vectors(dataset)
file.add([changed], -file.get([changed]))
dataset.set_values("mood", {changed: "calm"}, key_field="id")
"""


def test_a_search_stays_within_the_view_it_is_given(embedded):
    night = embedded.match(fo.ViewField("time") == "night")
    found = es.search(night, f"text('a bridge') > {CUT}")
    assert set(found.values("time")) == {"night"}


def test_samples_without_a_vector_match_neither_a_condition_nor_its_negation(embedded):
    new = embedded.add_sample(fo.Sample("/new.jpg"))
    for query in ("text('x') > -1", "NOT text('x') > -1", "text('x') IS NOT NULL"):
        assert new not in es.search(embedded, query).values("id")
    assert es.search(embedded, "text('x') IS NULL").values("id") == [new]


def test_a_similarity_population_takes_new_samples_in(world, labels, dataset, encoder):
    paths = sorted(world.glob("*.jpg"))
    es.sync(paths[::2], dataset, labels=labels)
    es.embed(dataset, encoder)
    suite = [
        es.Population("bridge", f"text('a bridge') > {CUT}"),
        es.Population("most", "RANK(text('a bridge')) <= 5"),
    ]
    es.compose(dataset, suite)
    es.sync(paths, dataset, labels=labels)
    es.embed(dataset, encoder)
    frame = es.membership(dataset)
    for population in suite:
        expected = set(es.search(dataset, population.query).values("id"))
        assert set(dataset.load_saved_view(population.name).values("id")) == expected
        assert set(frame.index[frame[population.name]]) == expected
    assert frame["bridge"].sum() > frame["bridge"][: len(paths[::2])].sum()


def test_scores_are_shared_and_go_with_their_last_population(embedded):
    fields = set(embedded.get_field_schema())
    es.compose(embedded, es.Population("a", "text('a bridge') > 0.1"))
    es.compose(embedded, es.Population("b", "text('a bridge') > 0.2"))
    assert len(set(embedded.get_field_schema()) - fields) == 1
    es.remove(embedded, "a")
    assert len(embedded.load_saved_view("b")) > 0
    es.remove(embedded, "b")
    assert set(embedded.get_field_schema()) == fields


def test_deleted_samples_leave_search_and_populations(embedded):
    es.compose(embedded, es.Population("most", "RANK(text('a bridge')) <= 5"))
    before = es.search(embedded, "RANK(text('a bridge')) <= 5").values("id")
    embedded.delete_samples(before[:2])
    after = es.search(embedded, "RANK(text('a bridge')) <= 5").values("id")
    assert set(before[2:]) < set(after)
    assert len(after) == 5
    frame = es.membership(embedded)
    assert set(frame.index[frame["most"]]) == set(after)


def test_another_encoder_is_refused_and_makes_populations_stale(
    embedded, encoder, tmp_path
):
    bridge = es.Population("bridge", f"text('a bridge') > {CUT}", holdout=0.2)
    es.compose(embedded, bridge)
    other = _another_encoder(encoder, tmp_path / "other")
    with pytest.raises(EncoderError, match="overwrite the vectors"):
        es.embed(embedded, other)
    es.embed(embedded, other, overwrite=True)
    assert "another encoder" in es.refresh(embedded)["bridge"]
    assert not es.membership(embedded)["bridge"].any()
    assert len(embedded.load_saved_view("bridge")) == 0
    with pytest.raises(es.EvalsetsError, match="another encoder"):
        es.split(embedded)
    es.compose(embedded, bridge)
    assert es.refresh(embedded) == {}


def test_a_cut_for_the_old_encoder_stays_stale_when_another_population_is_composed(
    embedded, encoder, tmp_path
):
    one = es.Population("one", f"text('a bridge') > {CUT}")
    two = es.Population("two", f"text('a bridge') > {CUT} AND num_people < 30")
    on_two = es.Population("on two", "population('two') AND num_people > 0")
    es.compose(embedded, [one, two, on_two])
    other = _another_encoder(encoder, tmp_path / "other")
    es.embed(embedded, other, overwrite=True)
    es.compose(embedded, one)  # which scores the prompt that they share anew
    assert list(es.refresh(embedded)) == ["two", "on two"]
    assert not es.membership(embedded)[["two", "on two"]].any(axis=None)
    es.compose(embedded, two)
    assert es.refresh(embedded) == {}


def test_a_search_among_a_stale_population_is_refused_until_it_is_composed_again(
    embedded, encoder, tmp_path
):
    one = es.Population("one", f"text('a bridge') > {CUT}")
    on_one = es.Population("on one", "population('one') OR num_people > 2")
    es.compose(embedded, [one, on_one, es.Population("busy", "num_people > 2")])
    other = _another_encoder(encoder, tmp_path / "other")
    es.embed(embedded, other, overwrite=True)
    for name in ("one", "on one"):
        with pytest.raises(es.EvalsetsError, match=r"'one': .*another encoder"):
            es.search(embedded, f"num_people = 1 OR NOT population('{name}')")
    assert len(es.search(embedded, "population('busy')")) > 0
    es.compose(embedded, [one, on_one])
    assert len(es.search(embedded, "population('on one')")) > 0


def test_weights_that_are_replaced_in_their_folder_are_another_encoder(
    embedded, encoder, tmp_path
):
    other = _another_encoder(encoder, tmp_path / "other")
    es.embed(embedded, other, overwrite=True)
    shutil.copy(f"{encoder}/open_clip_model.safetensors", other)
    with pytest.raises(EncoderError, match="overwrite the vectors"):
        es.embed(embedded, other)


def test_scores_of_the_old_encoder_decide_nothing(embedded, encoder, tmp_path):
    anything = es.Population("anything", "text('a bridge') >= -1")
    assert len(es.compose(embedded, anything)) == len(embedded)
    other = _another_encoder(encoder, tmp_path / "other")
    es.embed(embedded.limit(7), other, overwrite=True)
    es.compose(embedded, anything)
    assert es.membership(embedded)["anything"].sum() == 7
    assert len(embedded.load_saved_view("anything")) == 7


def test_populations_without_their_vectors_are_stale_until_these_are_made_again(
    embedded, encoder
):
    suite = [
        es.Population("bridge", f"text('a bridge') > {CUT}"),
        es.Population("crowded", "num_people > 2"),
    ]
    es.compose(embedded, suite)
    before = es.membership(embedded)
    shutil.rmtree(open_vectors(embedded).folder)
    assert list(es.refresh(embedded)) == ["bridge"]
    assert "gone" in es.refresh(embedded)["bridge"]
    assert not es.membership(embedded)["bridge"].any()
    assert len(embedded.load_saved_view("bridge")) == 0
    es.embed(embedded.limit(9), encoder)
    few = es.membership(embedded)["bridge"]
    assert set(few.index[few]) <= set(embedded.limit(9).values("id"))
    es.embed(embedded, encoder)
    assert es.refresh(embedded) == {}
    assert es.membership(embedded).equals(before)


def test_a_known_example_is_not_looked_up_again(embedded, tmp_path):
    outside = tmp_path / "outside.jpg"
    shutil.copy(embedded.first().filepath, outside)
    query = f"image('{outside}') > 0.9"
    before = es.compose(embedded, es.Population("like it", query)).values("id")
    outside.unlink()
    after = es.compose(embedded, es.Population("like it", query, holdout=0.3))
    assert after.values("id") == before != []


def _another_encoder(folder, copy):
    from safetensors.numpy import load_file, save_file

    shutil.copytree(folder, copy)
    weights = load_file(copy / "open_clip_model.safetensors")
    name = next(n for n, w in weights.items() if w.ndim == 2 and w.dtype == np.float16)
    weights[name] = (weights[name] * np.float16(0.5)).copy()
    save_file(weights, copy / "open_clip_model.safetensors")
    return str(copy)


@pytest.mark.parametrize(
    ("query", "error", "said"),
    [
        ("text('x') > 'y'", QueryError, "number"),
        ("image('no such thing') > 0.5", UnknownNameError, "id or the path"),
        (f"image('{'a' * 300}') > 0.5", UnknownNameError, "id or the path"),
        ("image('~nobody/a.jpg') > 0.5", UnknownNameError, "id or the path"),
        (f"image('{'.' * 19_000}') > 0.5", UnknownNameError, "id or the path"),
        ("image('a\x00.*$where') > 0.5", UnknownNameError, "id or the path"),
        ("image('no such thing', 'nor this') > 0.5", UnknownNameError, "thing"),
        (f"image('{__file__}') > 0.5", ArgumentError, "no image"),
        ("text() > 0.5", QueryError, "text"),
    ],
)
def test_a_similarity_that_makes_no_sense_is_refused(embedded, query, error, said):
    with pytest.raises(error, match=said):
        es.search(embedded, query)


def test_similarity_before_embedding_says_what_to_do(drawn):
    with pytest.raises(NoVectorsError, match="embed it first"):
        es.search(drawn, "text('a bridge') > 0.2")


def test_similarity_may_be_compared_with_what_objects_hold(embedded):
    score = _scores(embedded, "a bridge")
    boxes = fo.Detections(
        detections=[
            fo.Detection(label="car", bounding_box=[0, 0, 1, 1], confidence=CUT)
        ]
    )
    half = embedded.limit(len(embedded) // 2)
    half.set_values("boxes", [boxes.copy() for _ in range(len(half))])
    found = es.search(embedded, "text('a bridge') > MAX(boxes, confidence)")
    assert set(found.values("id")) == {i for i in half.values("id") if score[i] > CUT}
    ordered = es.search(
        embedded, "ORDER BY text('a bridge') * COUNT(boxes) DESC, text('a bridge') DESC"
    )
    assert ordered.first().id == max(half.values("id"), key=score.__getitem__)


def test_nan_in_a_field_is_a_number_for_search_as_for_a_population(embedded):
    ids = embedded.values("id")
    embedded.set_values(
        "f", [(float("nan"), None, 0.1)[i % 3] for i in range(len(ids))]
    )
    for query in ("text('a bridge') < f", "NOT text('a bridge') + f < 0.2"):
        found = set(es.search(embedded, query).values("id"))
        assert found >= set(ids[::3]) or query.startswith("NOT")
        assert not found & set(ids[1::3])
        assert found == set(
            es.compose(embedded, es.Population("p", query)).values("id")
        )


def test_a_view_that_leaves_a_field_out_is_not_searched_for_it(embedded):
    part = embedded.exclude_fields("num_people")
    with pytest.raises(QueryError, match="view leaves out field 'num_people'") as told:
        es.search(part, "time = 'night' AND num_people > 1")
    assert told.value.position == len("time = 'night' AND ")
    assert len(es.search(part, "time = 'night'")) > 0
    query = f"text('a bridge') > {CUT}"
    named = set(es.compose(embedded, es.Population("bridge", query)).values("id"))
    shown = embedded.select_fields("time")
    assert set(es.search(shown, query).values("id")) == named
    with pytest.raises(QueryError, match="view leaves out field"):
        es.membership(shown)
    boxes = fo.Detections(detections=[fo.Detection(label="car", hidden=True)])
    embedded.set_values("boxes", [boxes.copy() for _ in range(len(embedded))])
    embedded.add_dynamic_sample_fields()
    inside = embedded.exclude_fields("boxes.detections.hidden")
    assert len(es.search(inside, "COUNT(boxes, label = 'car') = 1")) == len(embedded)
    with pytest.raises(QueryError, match=r"'boxes\.detections\.hidden'"):
        es.search(inside, "ANY(boxes, hidden)")


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">="])
def test_a_cut_is_decided_as_by_the_scores_even_at_a_score_itself(embedded, operator):
    file = open_vectors(embedded)
    file.remove(file.ids[[2]].tolist())
    file.add(file.ids[[4]].tolist(), file.get(file.ids[[5]].tolist()))
    file = open_vectors(embedded)
    query = prompt_vector(encoder_of(embedded), "a bridge")
    exact = dict(zip(file.ids.tolist(), file.scores(query).tolist(), strict=True))
    cut = sorted(exact.values())[len(exact) // 2]
    compared = {"<": float.__lt__, "<=": float.__le__, ">": float.__gt__}
    passes = compared.get(operator, float.__ge__)
    expected = {i for i, score in exact.items() if passes(score, cut)}
    turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}[operator]
    part = embedded.limit(20)
    for text in (
        f"text('a bridge') {operator} {cut!r}",
        f"{cut!r} {turned} text('a bridge')",
    ):
        assert set(es.search(embedded, text).values("id")) == expected
        inside = expected & set(part.values("id"))
        assert set(es.search(part, text).values("id")) == inside
    best = sorted(exact, key=lambda i: (-exact[i], i))
    for text, n in (
        ("<= 3", 3),
        ("< 3", 2),
        ("< 2.5", 2),
        ("<= 0", 0),
        ("<= 500", 500),
    ):
        found = es.search(embedded, f"RANK(text('a bridge')) {text}").values("id")
        assert set(found) == set(best[:n])


def test_most_samples_are_named_by_the_few_that_are_left_out(embedded, monkeypatch):
    monkeypatch.setattr("evalsets.datasets.compile._MANY_IDS", 1)
    assert len(es.search(embedded, "RANK(text('a bridge')) > 0")) == len(embedded)
    few = es.search(embedded, "RANK(text('a bridge')) <= 5").values("id")
    ids = set(embedded.values("id"))
    for query in ("RANK(text('a bridge')) > 5", "NOT RANK(text('a bridge')) <= 5"):
        assert set(es.search(embedded, query).values("id")) == ids - set(few)
    most = es.search(embedded, "RANK(text('a bridge')) > 5")
    assert set(
        es.search(embedded, "NOT RANK(text('a bridge')) > 5").values("id")
    ) == set(few)
    embedded.add_sample(fo.Sample("/later.jpg"))
    assert len(most) == len(ids) - 5
