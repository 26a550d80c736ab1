"""What ``coverage`` says of requirements that too few samples stand behind."""

import fiftyone as fo
import pytest

import evalsets as es
from evalsets.metrics.estimates import PairedProportion

pytestmark = pytest.mark.db


def _passing(n, drop):
    """What can be gained and lost of ``n`` samples for the drop to be excluded."""
    split = [(up, down) for up in range(n + 1) for down in range(n + 1 - up)]
    return [
        (up, down)
        for up, down in split
        if PairedProportion(up, down, n, n).p_above(-drop) <= 0.05
    ]


@pytest.mark.parametrize(
    ("drop", "samples", "least", "who"),
    [
        (0.1, 28, 29, "only a model better than its baseline can"),
        (0, 4, 5, "no model can"),  # 0.5 ** 5 < 0.05 <= 0.5 ** 4
    ],
)
def test_a_drop_names_the_samples_below_which_only_a_better_model_passes(
    dataset, drop, samples, least, who
):
    dataset.add_samples(
        [fo.Sample(f"/{n:02}.png", shade=n, split="test") for n in range(samples)]
    )
    close = es.Requirement("accuracy", max_drop=drop)
    es.compose(dataset, es.Population("all", "shade >= 0", require=[close]))
    (said,) = (gap for gap in es.coverage(dataset).gaps if "too small" in gap)
    bound = f"({who} pass on fewer than {least} at level 0.05; "
    assert said.endswith(bound + "other open requirements raise that)")
    short = [_passing(n, drop) for n in range(1, least)]
    assert all(up > down for outcomes in short for up, down in outcomes)
    if drop:
        assert (0, 0) in _passing(least, drop)
    else:
        assert not any(short)
        assert _passing(least, drop) == [(least, 0)]
