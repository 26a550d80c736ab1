"""``examples/train_on_split.py`` on real photographs: what it trained on, and how well."""

from __future__ import annotations

import contextlib
import io
import shutil
from pathlib import Path

import pandas as pd
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
pytestmark = [pytest.mark.db, pytest.mark.shared, pytest.mark.slow]


@pytest.fixture(scope="module")
def photographs(shared, tmp_path_factory):
    """A folder of 80 photographs of each of ten classes."""
    data = shared / "data/imagenette160"
    table = pd.read_csv(data / "labels.csv").groupby("label").head(80)
    folder = tmp_path_factory.mktemp("photographs")
    for file in table["file"]:
        shutil.copy(data / "images" / file, folder)
    table.to_csv(folder / "labels.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def trained(shared, photographs):
    """The transcript and what the network was trained on."""
    import fiftyone as fo

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        import train_on_split

        seen = []
        plain = train_on_split.Photograph.__call__

        def watched(self, sample):
            if torch_is_learning():
                seen.append(sample["id"])
            return plain(self, sample)

        patch.setattr(train_on_split.Photograph, "__call__", watched)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = train_on_split.main(
                [
                    *("--dataset", "trained", "--images", str(photographs)),
                    *("--labels", str(photographs / "labels.csv"), "--epochs", "8"),
                    *("--encoder", str(shared / "models/tinyclip_lit_mnv2")),
                    *("--require", "accuracy >= 0.2"),
                ]
            )
    assert code != 2, out.getvalue()
    yield {"code": code, "said": out.getvalue(), "seen": set(seen)}
    fo.delete_dataset("trained")


def torch_is_learning() -> bool:
    import torch

    return torch.is_grad_enabled()


def test_training_saw_the_train_side_and_nothing_else(trained):
    import evalsets as es

    assert trained["seen"] == set(es.select("trained", split="train").values("id"))
    assert es.leaks("trained", near_duplicates=0.97) == []


def test_the_network_has_learnt_and_is_judged_on_every_population(trained):
    import evalsets as es

    (number,) = es.history("trained").index
    report = es.load_report("trained", number)
    rows = report.frame.query("metric == 'accuracy'").set_index("population")
    assert set(rows.index) == {"(all)", *es.populations("trained")}
    assert rows.loc["(all)", "value"] >= 0.25  # ten classes: by chance 0.1
    assert rows.loc["(all)", "n"] == len(es.select("trained", split="test"))
    assert trained["code"] == report.exit_code
    assert report.headline in trained["said"]
