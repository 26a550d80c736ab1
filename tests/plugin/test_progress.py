"""What the App shows of operators that run for long."""

import os
import subprocess
import sys
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone.operators.delegated import DelegatedOperationService
from PIL import Image

import evalsets as es
from evalsets.api import filling

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("plugin")]

CLIP = str(Path(__file__).parents[2] / "examples" / "demo" / "models" / "clip")


@pytest.fixture
def photos(dataset, tmp_path):
    """Six grey images of which one breaks once it is known."""
    for shade in range(6):
        Image.new("RGB", (64, 48), (40 * shade,) * 3).save(tmp_path / f"{shade}.png")
    es.sync(tmp_path, dataset)
    with (tmp_path / "3.png").open("r+b") as file:
        file.truncate(60)
    return dataset


def _delegated(name, dataset, **params):
    queued = foo.execute_operator(
        f"@evalsets/evalsets/{name}",
        {"dataset": dataset, "request_delegation": True},
        params=params,
    )
    service = DelegatedOperationService()
    service.execute_queued_operations(log=False)
    return service.get(queued.result["id"])


def test_a_delegated_sync_tells_how_far_it_is(dataset, tmp_path):
    for shade in range(3):
        Image.new("RGB", (64, 48), (40 * shade,) * 3).save(tmp_path / f"{shade}.png")
    ended = _delegated("sync", dataset, source=str(tmp_path))
    assert ended.run_state == "completed"
    assert ended.status.progress == 1
    assert ended.status.label.startswith("3 of 3 ")


def test_a_sum_is_shown_beneath_the_bar_even_where_nobody_set_up_logging(photos):
    script = f"import evalsets as es; es.tag({photos.name!r}, [{{'facts': {{}}}}])"
    told = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script],
            env={**os.environ, "FIFTYONE_SHOW_PROGRESS_BARS": shows},
            capture_output=True,
            text=True,
            check=True,
        ).stderr
        for shows in ("true", "false")
    ]
    assert [f"Tagged '{photos.name}': " in text for text in told] == [True, False]


def test_a_delegated_run_tells_how_far_it_is_how_fast_and_what_it_skipped(
    photos, tmp_path
):
    tags = tmp_path / "tags.yml"
    tags.write_text("taggers:\n  - statistics: {}\n")
    ended = _delegated("tag", photos, taggers=str(tags))
    assert ended.run_state == "completed"
    assert ended.status.progress == 1
    label = ended.status.label
    assert label.startswith("6 of 6 images, ")
    assert label.endswith(" a second, 1 image skipped")
    assert ended.result.result["done"] == 5
    assert len(ended.result.result["skipped"]) == 1


def test_a_delegated_refresh_tells_what_it_scores(photos, tmp_path, monkeypatch):
    es.embed(photos, CLIP)
    es.compose(photos, es.Population("dark", "text('night') > 0"))
    Image.new("RGB", (64, 48), (250,) * 3).save(tmp_path / "6.png")
    es.sync(tmp_path, photos)
    with monkeypatch.context() as killed:
        killed.setattr(filling, "refresh", lambda dataset: None)
        es.embed(photos, CLIP)
    ended = _delegated("refresh", photos)
    assert (ended.run_state, ended.result.result) == ("completed", {"stale": {}})
    assert ended.status.label == "Scoring 6 samples by text('night')"


def test_a_delegated_upload_split_and_evaluation_tell_how_far_they_are(
    photos, tmp_path
):
    es.compose(photos, es.Population("all", "TRUE", holdout=0.4))
    photos.set_values("ground_truth", [fo.Classification(label="grey")] * 6)
    table = tmp_path / "predictions.csv"
    names = ("filepath,label", "0.png,grey", "1.png,red", "no.png,red")
    table.write_text("\n".join(names))
    given = {"model": "m", "predictions": str(table), "skip_unknown": True}
    done = {
        "upload_predictions": _delegated("upload_predictions", photos, **given),
        "split": _delegated("split", photos),
        "evaluate": _delegated("evaluate", photos, model="m", split="all"),
    }
    assert {ended.run_state for ended in done.values()} == {"completed"}
    uploaded, split, evaluated = (ended.status for ended in done.values())
    assert uploaded.label.startswith("Writing predictions, samples: 2 of 6, ")
    assert uploaded.label.endswith(" a second, 1 key of no sample")
    assert split.label == "Writing the sides of 6 samples"
    assert evaluated.label.startswith("Scoring populations: 2 of 2, ")
    assert evaluated.progress == 1
