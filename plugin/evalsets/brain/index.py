"""The writing half of an index, and where its vectors are."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.brain.internal.core.utils as fbu
import numpy as np
from fiftyone.brain.similarity import _DEFAULT_MODEL
from numpy.typing import ArrayLike, NDArray

from evalsets.brain import storage
from evalsets.brain.contents import Ids, read_contents
from evalsets.brain.model import EncoderModel, encode_files, takes_prompts
from evalsets.brain.searching import SearchableIndex
from evalsets.datasets.vectors import encoder_of, open_vectors
from evalsets.errors import ArgumentError, EncoderError, NoVectorsError
from evalsets.similarity import VectorFile

logger = logging.getLogger(__name__)


class FaissSimilarityIndex(SearchableIndex):
    """An index over the dataset's vectors, or over vectors of its own.

    Args:
        samples: the dataset, or its frames
        config: of the run
        brain_key: None for an index that is not saved
        backend: what made it
    """

    def __init__(
        self,
        samples: Any,
        config: Any,
        brain_key: str | None,
        backend: Any = None,
    ) -> None:
        self._read: tuple[str, int] | None = None  # of which file, how far
        super().__init__(samples, config, brain_key, backend=backend)

    @classmethod
    def _from_dict(
        cls,
        d: Any,  # noqa: ARG003
        samples: Any,
        config: Any,
        brain_key: str,
    ) -> FaissSimilarityIndex:
        return cls(samples, config, brain_key)

    @property
    def is_external(self) -> bool:
        """Whether the index has vectors of its own; else it shows the dataset's."""
        return self.config.folder is not None

    @property
    def sample_ids(self) -> Ids:
        """Sample of every row."""
        return self._contents.sample_ids

    @property
    def label_ids(self) -> Ids | None:
        """Label of every row, where labels are indexed."""
        return self._contents.label_ids

    @property
    def total_index_size(self) -> int:
        """Rows, whatever view is in use."""
        return len(self._contents)

    def show_dataset_vectors(self) -> None:
        """Shows the dataset's vectors, if there are some and nothing else was asked.

        Does nothing where a field, patches or a model were named, or vectors given.
        """
        config = self.config
        if self.is_external and self._is_unasked():
            try:
                file = open_vectors(self._samples)
            except NoVectorsError:
                return
            config.folder, config.model, config.encoder = None, None, file.encoder
            config.supports_prompts = self._takes_prompts()
            self.save_config()
            self.reload()
            logger.info("Index '%s' shows the vectors of '%s'", self.key, file.encoder)
        if not self.is_external:
            # what compute_similarity has set is about a model that is not used
            self._model = self._supports_prompts = None

    def _is_unasked(self) -> bool:
        config = self.config
        fields = (config.embeddings_field, config.patches_field, config.roi_field)
        return (
            isinstance(self._samples, fo.Dataset)  # not its frames
            and not any(fields)
            and config.model in (None, _DEFAULT_MODEL)
            and self._model is None
            and not Path(config.folder).exists()
        )

    def use_view(self, *args: Any, **kwargs: Any) -> FaissSimilarityIndex:
        """Restricts the index to a view, and shows what was written since."""
        self._refresh()
        return super().use_view(*args, **kwargs)

    def reload(self) -> None:
        """Reads the file again, and which labels the dataset still has."""
        self._read = None
        super().reload()

    def sort_by_similarity(self, *args: Any, **kwargs: Any) -> Any:
        """A view sorted by similarity, of what is in the file now."""
        self._refresh()
        return super().sort_by_similarity(*args, **kwargs)

    def add_to_index(
        self,
        embeddings: ArrayLike,
        sample_ids: ArrayLike,
        label_ids: ArrayLike | None = None,
        overwrite: bool = True,
        allow_existing: bool = True,
        warn_existing: bool = False,
        reload: bool = True,
    ) -> None:
        """Adds vectors; they are kept at length one.

        Raises:
            EncoderError: the index shows the dataset's vectors, and these were not made
                by its encoder
            ArgumentError: wrong shapes, ids or values, or ids that are there and may not
                be
        """
        vectors = np.asarray(embeddings)
        given = sample_ids if self.config.patches_field is None else label_ids
        ids = np.array([str(i) for i in np.asarray(given).ravel()])
        if vectors.ndim != 2 or ids.shape != vectors.shape[:1]:
            raise ArgumentError(
                f"Vectors of shape {vectors.shape} for ids of shape {ids.shape}; give one "
                "row an id, and label_ids where labels are indexed"
            )
        there = np.isin(ids, self._contents.ids)
        if there.any() and not overwrite:
            message = f"{there.sum()} ids, '{ids[there][0]}' first, are in the index"
            if not allow_existing:
                raise ArgumentError(f"{message}; pass overwrite=True to replace them")
            if warn_existing:
                logger.warning("%s and were left as they are", message)
            ids, vectors = ids[~there], vectors[~there]
        if not len(ids):
            return
        if self.is_external:
            self._own_file(vectors.shape[1]).add(ids.tolist(), vectors)
        else:
            storage.add_checked(self._samples, ids.tolist(), vectors)
        (self.reload if reload else self._refresh)()

    def remove_from_index(
        self,
        sample_ids: Any = None,
        label_ids: Any = None,
        allow_missing: bool = True,
        warn_missing: bool = False,
        reload: bool = True,
    ) -> None:
        """Removes vectors; those of the dataset are gone for its populations as well.

        Raises:
            ArgumentError: ids that are not there and must be, or the dataset is a clone
        """
        rows = self._find(sample_ids, label_ids, allow_missing, warn_missing)
        ids = self._contents.ids[rows].tolist()
        if not ids:
            return
        if self.is_external:
            self._own_file(self._contents.dim).remove(ids)
        else:
            storage.remove_and_clear(self._samples, ids)
        (self.reload if reload else self._refresh)()

    def get_embeddings(
        self,
        sample_ids: Any = None,
        label_ids: Any = None,
        allow_missing: bool = True,
        warn_missing: bool = False,
    ) -> tuple[NDArray[np.float32], Ids, Ids | None]:
        """Unit vectors with their sample and label ids, by default all of them.

        Raises:
            ArgumentError: ids that are not there and must be
        """
        contents = self._contents
        if sample_ids is None and label_ids is None:
            rows = np.arange(self.total_index_size)
        else:
            rows = self._find(sample_ids, label_ids, allow_missing, warn_missing)
        labels = None if contents.label_ids is None else contents.label_ids[rows]
        return contents.vectors(rows), contents.sample_ids[rows], labels

    def cleanup(self) -> None:
        """Deletes the index's own files; the dataset's vectors stay."""
        storage.delete_folder(self.config.folder, self._samples._root_dataset)
        self.reload()

    def get_model(self) -> Any:
        """The model for prompts: where the dataset's vectors are shown, its encoder."""
        if self.is_external:
            return super().get_model()
        return EncoderModel(encoder_of(self._samples))

    def compute_embeddings(
        self,
        samples: Any,
        model: Any = None,
        batch_size: int | None = None,
        num_workers: int | None = None,
        skip_failures: bool = True,
        skip_existing: bool = False,
        warn_existing: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Vectors for samples; where the dataset's are shown, by its encoder.

        Raises:
            EncoderError: an image cannot be read and ``skip_failures`` is False
        """
        if self.is_external or model is not None:
            return super().compute_embeddings(
                samples,
                model=model,
                batch_size=batch_size,
                num_workers=num_workers,
                skip_failures=skip_failures,
                skip_existing=skip_existing,
                warn_existing=warn_existing,
                **kwargs,
            )
        if skip_existing:
            samples = fbu.skip_ids(
                samples, self.sample_ids, warn_existing=warn_existing
            )
        ids, paths = samples.values(["id", "filepath"])
        found, vectors, failed = encode_files(
            encoder_of(self._samples), paths, batch_size
        )
        if failed:
            path, why = next(iter(failed.items()))
            message = f"{len(failed)} images cannot be read, '{path}' first ({why})"
            if not skip_failures:
                raise EncoderError(f"{message}; mend or leave them out")
            logger.warning("%s; they were left out", message)
        return vectors, np.array([ids[p] for p in found], dtype="<U24"), None

    def _refresh(self) -> None:
        """Shows what is in the file now."""
        file = self._open()
        read = None if file is None else (file.made, file.position)
        if file is None or read != self._read:
            patches_field = self.config.patches_field
            self._contents = read_contents(file, self._samples, patches_field)
            self._curr_sample_ids = None
        self._read = read

    def _open(self) -> VectorFile | None:
        """The file behind the index; None while it has none of its own."""
        if not self.is_external:
            return open_vectors(self._samples)
        folder = Path(self.config.folder)
        return VectorFile(folder) if folder.exists() else None

    def _own_file(self, dim: int) -> VectorFile:
        """The index's own file for writing, made with the first vectors."""
        folder = Path(self.config.folder)
        dataset = self._samples._root_dataset
        if folder.exists() and not storage.belongs_to(folder, dataset):
            self.config.folder = str(storage.new_folder(dataset))
            shutil.copytree(folder, self.config.folder)
            self.save_config()
            folder = Path(self.config.folder)
        if folder.exists():
            return VectorFile(folder)
        return VectorFile.create(folder, dim, self.config.model or "given", "brain")

    def _find(
        self, sample_ids: Any, label_ids: Any, allow_missing: bool, warn_missing: bool
    ) -> NDArray[np.int64]:
        """Rows of labels or of samples, in the order asked for."""
        contents = self._contents
        if label_ids is not None and contents.label_ids is None:
            raise ArgumentError("This index holds samples; ask for them by sample_ids")
        asked, kind = sample_ids, contents.sample_ids
        if label_ids is not None:
            asked, kind = label_ids, contents.ids
        if asked is None:
            asked = []
        asked = [asked] if isinstance(asked, str) else list(asked)
        rows, missing = contents.find(asked, kind)
        if missing:
            message = f"{len(missing)} ids, '{missing[0]}' first, are not in the index"
            if not allow_missing:
                raise ArgumentError(f"{message}; leave them out")
            if warn_missing:
                logger.warning("%s and were left out", message)
        return rows

    def _takes_prompts(self) -> bool:
        try:
            return takes_prompts(encoder_of(self._samples))
        except EncoderError as error:
            logger.warning("The index cannot be searched by text: %s", error)
            return False
