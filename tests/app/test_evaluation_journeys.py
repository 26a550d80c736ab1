"""The Evaluation panel stays usable, whatever happens around it."""

import fiftyone as fo
import pytest
from playwright.sync_api import expect

from .test_evaluation_parts import PANEL, judged, turn

pytestmark = [pytest.mark.app, pytest.mark.db]
__all__ = ["judged"]


@pytest.fixture(scope="module")
def bare(judged):
    """A dataset of a few samples without predictions."""
    dataset = fo.Dataset("app-bare", persistent=True, overwrite=True)
    dataset.add_samples(
        fo.Sample(s.filepath, ground_truth=s.ground_truth.copy())
        for s in judged.limit(8)
    )
    yield dataset
    dataset.delete()


def test_predictions_come_in_through_a_form(app, bare, tmp_path):
    page = app.open(bare)
    panel = app.open_panel(page, PANEL)
    expect(panel).to_contain_text("No predictions yet")
    app.screenshot(page, "upload-1-none")
    panel.get_by_role("button", name="Upload predictions").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input").first.fill("sure")
    paths, labels = bare.values(["filepath", "ground_truth.label"])
    lines = [f"{p},{k}" for p, k in zip(paths[:7], labels[:7], strict=True)]
    table = tmp_path / "predictions.csv"
    table.write_text("\n".join(["filepath,label", *lines]))
    dialog.locator('input[type="file"]').set_input_files(table)
    expect(dialog).to_contain_text("predictions.csv")
    app.screenshot(page, "upload-2-form")
    dialog.get_by_role("button", name="Execute").click()
    expect(page.get_by_text("Samples without one")).to_be_visible()
    app.screenshot(page, "upload-3-report")
    page.get_by_role("button", name="Close").last.click()
    expect(panel).to_contain_text("7 samples have a prediction, 1 has none")
    expect(panel).to_contain_text("Not evaluated yet")
    app.screenshot(page, "upload-4-panel")

    panel.get_by_role("button", name="Evaluate").click()
    expect(panel).to_contain_text("Nothing is required of any population")
    app.screenshot(page, "upload-5-evaluated")
    page.close()


def test_a_reload_keeps_the_place(app, judged):
    page = app.open(judged)
    panel = app.open_panel(page, PANEL)
    turn(panel, "Mistakes")
    expect(panel).to_contain_text("What was taken for what")
    page.reload(wait_until="domcontentloaded")
    panel = app.open_panel(page, PANEL)
    expect(panel).to_contain_text("What was taken for what")
    app.screenshot(page, "journey-1-reload")
    page.close()
