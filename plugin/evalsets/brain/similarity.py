"""FiftyOne's similarity index over our vectors: ``compute_similarity(backend="faiss")``.

FiftyOne stores the paths of these classes and finds the index by the configuration's,
less its ``Config``; the App offers only runs whose path says "similarity".
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

from fiftyone.brain.similarity import _DEFAULT_MODEL, Similarity, SimilarityConfig

from evalsets.brain import storage
from evalsets.brain.index import FaissSimilarityIndex
from evalsets.brain.ranking import AGGREGATIONS
from evalsets.errors import ArgumentError


class FaissSimilarityConfig(SimilarityConfig):
    """Configuration of an index.

    Args:
        metric: only cosine; vectors are kept at length one
        folder: the index's own files; None where it shows the dataset's vectors
        encoder: name of what made the dataset's vectors, for people
        **kwargs: of FiftyOne's ``SimilarityConfig``
    """

    def __init__(
        self,
        metric: str = "cosine",
        folder: str | None = None,
        encoder: str | None = None,
        **kwargs: Any,
    ) -> None:
        if metric != "cosine":
            raise ArgumentError(
                f"The back-end 'faiss' compares by cosine, not by '{metric}'; leave "
                "metric out, or choose another back-end"
            )
        super().__init__(**kwargs)
        self.metric = metric
        self.folder = folder
        self.encoder = encoder

    @property
    def method(self) -> str:
        """The back-end's name."""
        return "faiss"

    @property
    def max_k(self) -> None:
        """No limit."""
        return None

    @property
    def supports_least_similarity(self) -> bool:
        """Whether it can sort the least similar first."""
        return True

    @property
    def supported_aggregations(self) -> tuple[str, ...]:
        """How several queries can be made one."""
        return tuple(AGGREGATIONS)


class FaissSimilarity(Similarity):
    """Makes, saves and deletes indexes."""

    def initialize(self, samples: Any, brain_key: str | None) -> FaissSimilarityIndex:
        """An index that has no vectors yet, or shows the dataset's.

        ``compute_similarity`` adds those it was given or has computed. Without a model
        named it would compute them with FiftyOne's default one; the dataset's vectors
        go before that.
        """
        dataset = samples._root_dataset
        unsaved = None
        if brain_key is None:
            unsaved = Path(tempfile.mkdtemp(prefix="evalsets-index-"))
        else:
            storage.delete_orphans(dataset)
        self.config.folder = str(storage.new_folder(dataset, unsaved))
        index = FaissSimilarityIndex(samples, self.config, brain_key, backend=self)
        if unsaved is not None:
            weakref.finalize(index, shutil.rmtree, unsaved, ignore_errors=True)
        index.save_config()
        if self.config.model == _DEFAULT_MODEL:
            index.show_dataset_vectors()
        return index

    @classmethod
    def save_run_results(
        cls, samples: Any, key: str | None, run_results: Any, **kwargs: Any
    ) -> None:
        """Saves an index; one that was given no vectors shows the dataset's."""
        run_results.show_dataset_vectors()
        super().save_run_results(samples, key, run_results, **kwargs)

    def cleanup(self, samples: Any, key: str) -> None:  # noqa: ARG002
        """Deletes the run's own files; the dataset's vectors stay."""
        storage.delete_folder(self.config.folder, samples._root_dataset)
