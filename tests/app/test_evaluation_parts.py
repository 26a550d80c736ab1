"""What went wrong, models side by side and weak spots are each a click away."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

import evalsets as es
from evalsets.datasets.locks import writing

pytestmark = [pytest.mark.app, pytest.mark.db]

PANEL = "evalsets_evaluation"


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Scenes of which one model misses most nights, and two reports on them."""
    from examples.demo.scenes import write_world

    folder = tmp_path_factory.mktemp("world")
    rows = write_world(folder, seed=7, n_scenes=90, frames=(3, 4))
    labels = pd.DataFrame(rows).rename(columns={"kind": "label"})
    dataset = es.sync(str(folder), dataset="app-judged", labels=labels)
    kinds = sorted(set(labels["label"]))
    rng = np.random.default_rng(1)
    for model, night in (("steady", 0.05), ("blind", 0.85)):
        error = np.where(labels["time"] == "night", night, 0.05)
        wrong = rng.random(len(labels)) < error
        other = [kinds[(kinds.index(k) + 1) % len(kinds)] for k in labels["label"]]
        guess = labels[["filepath"]].assign(
            label=np.where(wrong, other, labels["label"])
        )
        es.upload_predictions(dataset, model, guess)
    require = (es.Requirement("accuracy", at_least=0.8),)
    es.compose(
        dataset,
        [
            es.Population("dark hours", "time <> 'day'", 0.4, require),
            es.Population("sunny <day>", "weather = 'sunny'", 0.4, require),
        ],
    )
    es.split(dataset)
    es.evaluate(dataset, "steady")
    es.evaluate(dataset, "blind", baseline="steady")
    yield dataset
    dataset.delete()


def turn(panel, part):
    panel.get_by_role("button", name=part, exact=True).click()


def counts(page, n):
    shown = page.locator('[data-cy="entry-counts"]')
    expect(shown).to_have_text(re.compile(rf"^{n} samples?"))


def click(page, cell):
    box = cell.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.up()


def test_what_went_wrong_opens_in_the_grid(app, judged):
    page = app.open(judged)
    panel = app.open_panel(page, PANEL)
    turn(panel, "Mistakes")
    expect(panel).to_contain_text("What was taken for what: (all)")
    panel.locator(".heatmaplayer image").first.wait_for()
    app.screenshot(page, "mistakes-1-confusion")

    lost = es.discordant(judged, "blind", "steady", only="lost")
    panel.get_by_role("button", name="steady right, blind wrong").click()
    expect(panel).to_contain_text("that only the baseline has right")
    counts(page, len(lost))
    app.screenshot(page, "mistakes-2-lost")

    gained = es.discordant(judged, "blind", "steady", only="gained")
    panel.get_by_role("button", name="blind right, steady wrong").click()
    expect(panel).to_contain_text(
        "that only the model has right" if len(gained) else "There are none"
    )

    worst = es.load_report(judged, 2).worst(judged)
    panel.get_by_role("button", name="Worst samples").click()
    expect(panel).to_contain_text("the worst first")
    counts(page, len(worst))
    app.screenshot(page, "mistakes-3-worst")

    heat = panel.locator(".heatmaplayer image").first.bounding_box()
    page.mouse.move(heat["x"] + 12, heat["y"] + 12)
    page.mouse.down()
    page.mouse.up()
    expect(panel).to_contain_text("labelled 'bridge' and taken for 'bridge'")
    app.screenshot(page, "mistakes-4-cell")

    panel.get_by_role("combobox").last.click()
    page.get_by_role("option", name="dark hours", exact=True).click()
    expect(panel).to_contain_text("What was taken for what: dark hours")
    page.close()


def test_another_metric_is_a_choice_away(app, judged):
    page = app.open(judged)
    panel = app.open_panel(page, PANEL)
    turn(panel, "Verdicts")
    panel.get_by_role("combobox").last.click()
    page.get_by_role("option", name="f1", exact=True).click()
    expect(panel.get_by_role("columnheader", name="f1")).to_be_visible()
    app.screenshot(page, "verdicts-metric")
    page.close()


def test_models_stand_side_by_side(app, judged):
    page = app.open(judged)
    panel = app.open_panel(page, PANEL)
    turn(panel, "Models")
    expect(panel).to_contain_text("accuracy of each model's newest report")
    heat = panel.locator(".heatmaplayer image").first
    heat.wait_for()
    app.screenshot(page, "models-1-map")

    box = heat.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.up()
    expect(panel.get_by_role("combobox").first).to_contain_text("steady")
    n = len(es.select(judged, split="test", population="dark hours"))
    counts(page, n)
    app.screenshot(page, "models-2-opened")

    panel.get_by_role("combobox").last.click()
    page.get_by_role("option", name="colours by value", exact=True).click()
    expect(panel.get_by_text("colours by value")).to_be_visible()
    heat.wait_for()
    app.screenshot(page, "models-3-values")
    page.close()


def test_a_weak_spot_becomes_a_population(app, judged):
    page = app.open(judged)
    panel = app.open_panel(page, PANEL)
    panel.get_by_role("combobox").first.click()
    page.get_by_role("option", name="blind", exact=True).click()
    turn(panel, "Weak spots")
    with writing(judged):  # as if another person wrote: what was found waits
        panel.get_by_role("button", name="Propose weak spots").click()
        expect(panel).to_contain_text("Looking for weak spots of blind")
        app.screenshot(page, "weak-1-busy")
    expect(panel).to_contain_text("confirmed on samples that were not searched")
    expect(panel).to_contain_text("adjusted p")
    expect(panel.get_by_role("img").first).to_be_visible()
    app.screenshot(page, "weak-2-proposed")

    panel.get_by_role("button", name="Open", exact=True).first.click()
    expect(panel).to_contain_text("The grid shows all samples of")
    app.screenshot(page, "weak-3-opened")

    before = set(es.populations(judged))
    panel.get_by_role("button", name="Make it a population").first.click()
    expect(panel).to_contain_text("Saved population")
    app.screenshot(page, "weak-4-named")
    judged.reload()
    (added,) = set(es.populations(judged)) - before
    assert "night" in es.populations(judged)[added].query
    expect(panel.get_by_text(f"Population '{added}'", exact=True)).to_be_visible()

    panel.get_by_role("button", name="What to label next").click()
    expect(panel).to_contain_text("Every sample has a label")
    app.screenshot(page, "weak-5-nothing-to-label")
    es.remove(judged, added)
    page.close()


def test_the_report_is_saved_as_a_file(app, judged):
    page = app.open(judged)
    panel = app.open_panel(page, PANEL)
    turn(panel, "Verdicts")
    for label, starts in (("HTML", "<!DOCTYPE"), ("Markdown", "### "), ("JSON", "{")):
        with page.expect_download() as waiting:
            panel.get_by_role("button", name=label, exact=True).click()
        text = waiting.value.path().read_text(encoding="utf-8")
        assert text.lower().startswith(starts.lower())
        if label == "JSON":
            json.loads(text)
    app.screenshot(page, "export")
    page.close()
