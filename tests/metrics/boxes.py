"""Objects and guesses at them, by chance."""

import numpy as np

from evalsets.metrics import Boxes

N, C = 6, 3


def random_boxes(seed, n=N):
    """Objects, some of them crowds, and noisy guesses at them."""
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, 4 * n))
    image, label = rng.integers(0, n, k), rng.integers(0, C, k)
    box = np.column_stack([rng.uniform(0, 60, (k, 2)), rng.uniform(5, 40, (k, 2))])
    truth = Boxes(image, label, box, crowd=rng.random(k) < 0.15)
    near = rng.random(k) < 0.8
    m = int(near.sum())
    extra = int(rng.integers(0, 3 * n))
    predicted = Boxes(
        np.concatenate([image[near], rng.integers(0, n, extra)]),
        np.concatenate([label[near], rng.integers(0, C, extra)]),
        np.concatenate(
            [
                np.maximum(box[near] + rng.normal(0, 2, (m, 4)), 1),
                np.column_stack(
                    [rng.uniform(0, 60, (extra, 2)), rng.uniform(5, 40, (extra, 2))]
                ),
            ]
        ),
        rng.random(m + extra),
    )
    return truth, predicted
