import numpy as np

from evalsets.discovery import Condition, Words, describe, distinct


def test_names_differ_from_each_other_and_from_those_taken():
    found = distinct(["night", "Night!", "night", "rain, night", ""], ["rain night"])
    assert found == ["night", "Night! 2", "night 3", "rain, night 2", "weak spot"]


def test_long_names_are_cut():
    assert len(distinct(["x" * 500], [])[0]) <= 80


def test_a_region_is_described_by_the_prompt_and_the_tag_that_separate_it():
    inside = np.arange(10) < 4
    fit = np.array([np.where(inside, 0.3, 0.1), np.full(10, 0.2)])
    night = Condition("time", "time = 'night'", "night", np.arange(10) < 3)
    name, text = describe(inside, [night], Words(("a dark photo", "snow"), fit))
    assert name == "a dark photo"
    assert text == (
        "'a dark photo' fits better in 100% of pairs; time = 'night' for 75% "
        "(0% elsewhere)"
    )


def test_a_tag_that_holds_for_nearly_all_inside_gives_the_name():
    inside = np.arange(10) < 4
    night = Condition("time", "time = 'night'", "night", np.arange(10) < 5)
    name, text = describe(inside, [night], Words())
    assert name == "night"
    assert "100% (17% elsewhere)" in text


def test_where_nothing_separates_it_that_is_said():
    name, text = describe(np.arange(10) < 4, [], Words())
    assert (name, text) == ("a region", "no prompt or tag sets it apart")
