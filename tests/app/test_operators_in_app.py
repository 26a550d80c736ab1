"""People find the verbs in the App's operator browser."""

import fiftyone as fo
import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.app, pytest.mark.db]


@pytest.fixture
def pictures(dataset, tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(6)]
    for number, path in enumerate(paths):
        shade = np.full((64, 96, 3), 40 * number, np.uint8)
        Image.fromarray(shade).save(path)
    samples = [fo.Sample(str(p), number=n) for n, p in enumerate(paths)]
    dataset.add_samples(samples)
    return dataset


def test_the_operator_browser_lists_our_verbs(app, pictures):
    page = app.open(pictures)
    page.locator('[data-cy="action-browse-operations"]').click()
    page.get_by_placeholder("Search operations by name").fill("population")
    for label in ("Compose population", "Remove population", "Refresh populations"):
        page.get_by_text(label, exact=True).wait_for()
    app.screenshot(page, "operator-browser")
