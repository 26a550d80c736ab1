"""Weak spots and what to label next by their URIs, and from a shell."""

import csv
import io
import sys

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest

import evalsets as es
from evalsets.cli import main

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("plugin")]


@pytest.fixture
def foggy(dataset):
    """A model that fails in fog; half of the samples have no label."""
    rng = np.random.default_rng(0)
    fog = rng.random(600) < 0.2
    dataset.add_samples(
        fo.Sample(
            f"/{n:03}.png",
            weather="fog" if fog[n] else "sun",
            ground_truth=fo.Classification(label="car"),
        )
        for n in range(600)
    )
    wrong = rng.random(600) < np.where(fog, 0.7, 0.05)
    es.upload_predictions(dataset, "net", ["dog" if w else "car" for w in wrong])
    return dataset


def run(verb, dataset, **params):
    """The result of one operator."""
    uri = f"@evalsets/evalsets/{verb}"
    return foo.execute_operator(uri, {"dataset": dataset}, params=params).result


def shell(capsys, monkeypatch, *arguments):
    """What a command prints."""
    monkeypatch.setattr(sys, "argv", ["evalsets", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 0, said.err
    return said.out


def hide_half(dataset):
    labels = dataset.values("ground_truth")
    labels[::2] = [None] * 300
    dataset.set_values("ground_truth", labels)


def test_weak_spots_are_listed_and_become_populations_at_once(foggy):
    found = run("discover", foggy, model="net", compose=True, holdout=0.3)
    first = found["rows"][0]
    assert first["query"] == "weather = 'fog'"
    assert first["confirmed"] == "True"
    assert found["composed"] == ["fog"]
    assert es.populations(foggy)["fog"].holdout == 0.3


def test_weak_spots_of_chosen_samples_are_only_listed(foggy):
    assert run("discover", foggy, model="net", split="all")["composed"] == []
    assert es.populations(foggy) == {}


def test_what_to_label_next_comes_with_reasons(foggy):
    hide_half(foggy)
    good = es.Requirement("accuracy", at_least=0.3)
    es.compose(foggy, es.Population("fog", "weather = 'fog'", require=[good]))
    found = run("label_next", foggy, model="net", n=7, split="all")["to_label"]
    assert len(found) == 7
    assert all("'fog': accuracy >= 0.3" in reason for reason in found.values())
    assert set(foggy.select(list(found)).values("weather")) == {"fog"}


def test_weak_spots_in_a_shell(foggy, capsys, monkeypatch):
    said = shell(capsys, monkeypatch, "discover", foggy.name, "net", "--split", "all")
    assert said.startswith("fog: ")
    assert "confirmed" in said.splitlines()[0]
    assert said.splitlines()[1].strip() == "weather = 'fog'"


def test_where_nothing_is_weak_the_shell_says_so(foggy, capsys, monkeypatch):
    es.upload_predictions(foggy, "net", ["car"] * 600, overwrite=True)
    assert shell(capsys, monkeypatch, "discover", foggy.name, "net") == (
        "Nothing stands out\n"
    )


def test_what_to_label_next_in_a_shell_is_csv(foggy, capsys, monkeypatch):
    hide_half(foggy)
    good = es.Requirement("accuracy", at_least=0.3)
    es.compose(foggy, es.Population("fog", "weather = 'fog'", require=[good]))
    said = shell(
        capsys, monkeypatch, "label-next", foggy.name, "net", "--n", 4, "--split", "all"
    )
    rows = list(csv.DictReader(io.StringIO(said)))
    assert len(rows) == 4
    assert set(rows[0]) == {"id", "filepath", "reason"}
