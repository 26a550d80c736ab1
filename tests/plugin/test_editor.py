"""The editor's bundle is built from its sources, and its events answer."""

import hashlib
from pathlib import Path

import fiftyone as fo
import pytest
from fiftyone.operators.executor import ExecutionContext, Executor

from panels.populations import Populations

EDITOR = Path(__file__).parents[2] / "panels" / "editor"


def test_the_bundle_is_what_the_sources_build():
    names = ["build.mjs", "package-lock.json"]
    names += [f"src/{path.name}" for path in (EDITOR / "src").iterdir()]
    digest = hashlib.sha256()
    for name in sorted(names):
        digest.update(f"{name}\n".encode() + (EDITOR / name).read_bytes())
    first = (EDITOR / "dist" / "editor.js").read_text().partition("\n")[0]
    remedy = "run: cd panels/editor && npm ci && npm run build"
    assert first == f"// sources {digest.hexdigest()}", remedy


@pytest.fixture
def ask(dataset):
    """Sends an event as the component does; gives the answer and what else was asked."""
    dataset.add_samples(
        fo.Sample(f"/nowhere/{i}.png", shade=i, weather="fog" if i % 2 else "sun")
        for i in range(10)
    )

    def send(method, selected=(), **params):
        request = {
            "dataset_name": dataset.name,
            "dataset_id": str(dataset._doc.id),
            "params": {**params, "panel_id": "p", "__method__": method},
            "selected": list(selected),
        }
        ctx = ExecutionContext(request, executor=Executor())
        answer = Populations().execute(ctx)
        assert not ctx.executor._requests  # nothing is drawn anew
        return answer

    return send


@pytest.mark.db
def test_a_look_answers_with_count_and_pictures(ask):
    found = ask("look", query="weather = 'fog'")
    assert (found["count"], found["share"]) == ("5", "of 10 samples, 50.0 %")
    assert [row["file"] for row in found["first"]][:2] == [
        "/nowhere/1.png",
        "/nowhere/3.png",
    ]


@pytest.mark.db
@pytest.mark.parametrize(
    ("query", "hint"), [("shade < 0", "loosen"), ("shade >= 0", "Everything matches")]
)
def test_a_query_of_nothing_or_everything_says_what_to_do(ask, query, hint):
    assert hint in ask("look", query=query)["hint"]


@pytest.mark.db
def test_a_half_typed_query_is_answered_with_the_place(ask):
    assert ask("look", query="  ") == {}
    found = ask("look", query="shade > 3 AND wether = 'fog'")
    assert "did you mean 'weather'" in found["problem"]
    assert (found["position"], found["length"]) == (14, 6)


@pytest.mark.db
def test_controls_write_the_query_or_say_why_not(ask):
    added = {"query": "shade > 3", "field": "weather", "operator": "=", "value": "fog"}
    assert ask("add_field", **added) == {"query": "shade > 3 AND weather = 'fog'"}
    assert "a number" in ask("add_field", **{**added, "field": "shade"})["problem"]
    assert "embed it first" in ask("add_text", query="", text="a road")["problem"]
    assert "Select samples" in ask("add_images", query="")["problem"]


@pytest.mark.db
def test_the_words_of_the_dataset_are_sent_once(ask):
    words = ask("words")
    (weather,) = (word for word in words["fields"] if word["path"] == "weather")
    assert set(weather["values"]) == {"fog", "sun"}
