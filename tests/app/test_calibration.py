"""A cut is calibrated by looking at samples, without writing code."""

import re
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import expect

import evalsets as es

pytestmark = [pytest.mark.app, pytest.mark.db]

ENCODER = Path(__file__).parents[2] / "examples" / "demo" / "models" / "clip"
PANEL = "evalsets_populations"


@pytest.fixture(scope="module")
def roads(tmp_path_factory):
    """Scenes with vectors, and a population that nobody calibrated."""
    from examples.demo.scenes import write_world

    folder = tmp_path_factory.mktemp("roads")
    rows = write_world(folder, n_scenes=40, seed=3)
    labels = pd.DataFrame(rows)[["filepath", "kind"]].rename(columns={"kind": "label"})
    dataset = es.sync(folder, "calibration-roads", labels=labels)
    es.embed(dataset, ENCODER)
    es.compose(dataset, es.Population("windy road", "text('a windy road') > 0.1"))
    yield dataset
    dataset.delete()


def select(page, place):
    """Marks one sample of the grid, as a click on its corner does."""
    box = page.locator('[data-cy="looker"]').nth(place).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + 14, box["y"] + 14)


def test_samples_marked_in_the_grid_calibrate_a_population(app, roads):
    page = app.open(roads)
    panel = app.open_panel(page, PANEL)
    expect(panel).to_contain_text("uncalibrated")
    panel.get_by_role("row").filter(has_text="windy road").get_by_role("button").click()
    page.get_by_role("menuitem", name="Calibrate").click()
    expect(panel).to_contain_text("The grid shows 100 samples to judge")
    counts = page.locator('[data-cy="entry-counts"]')
    expect(counts).to_have_text(re.compile(r"^100 samples"))
    app.screenshot(page, "calibration-1-proposed")
    expect(panel.get_by_role("spinbutton").nth(1)).to_have_value("90")

    panel.get_by_role("button", name="Belong").click()
    expect(panel).to_contain_text("select some in the grid first")

    select(page, 0)
    select(page, 1)
    page.wait_for_timeout(1000)
    panel.get_by_role("button", name="Belong").click()
    expect(panel).to_contain_text("2 belong, 0 do not, 98 left")
    expect(counts).to_have_text(re.compile(r"^98 samples"))
    app.screenshot(page, "calibration-2-marked")

    judged = es.judging(roads, "windy road").frame["belongs"].dropna()
    assert len(judged) == 2
    panel.get_by_role("button", name="None of the rest does").click()
    expect(panel).to_contain_text("2 belong, 98 do not, 0 left")
    app.screenshot(page, "calibration-3-judged")
    panel.get_by_role("button", name="Done").click()
    expect(panel).not_to_contain_text("Calibrate 'windy road'")
    app.screenshot(page, "calibration-4-done")
    page.close()
