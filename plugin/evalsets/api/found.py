"""What a query finds, as a stage of a view that holds the query and no ids."""

from __future__ import annotations

import warnings
from typing import Any

import fiftyone as fo
import fiftyone.core.stages as fos

from evalsets.api.search import search
from evalsets.datasets.connect import Source, open_dataset
from evalsets.datasets.populations import read_query
from evalsets.query import advise, terms

_QUERY = "evalsets"


def find(dataset: Source, query: str) -> fo.DatasetView:
    """The view of a query as a browser should hold it: without ids.

    Args:
        dataset: or its name
        query: as for ``search``

    Raises:
        EvalsetsError: as ``search`` would; of vectors, when the view is looked at

    Warns:
        PromptWarning: as ``search`` would
    """
    opened = open_dataset(dataset)
    parsed, checked, schema = read_query(opened, query)
    if not terms(checked):
        return search(opened, query)
    advice = advise(parsed, schema)
    if advice is not None:
        warnings.warn(advice, stacklevel=2)
    return opened.view().add_stage(Match({_QUERY: query}))


class Match(fos.Match):
    """The samples for which a query is true whenever the view is looked at.

    ``search`` gives the ids of the samples that a new similarity finds, which are a
    megabyte where many are found; a browser sends its view with every request. The App
    knows a stage by the last part of its name, and would not draw one of another.

    Args:
        filter: ``{"evalsets": query}``, which matches nothing as a filter of MongoDB
    """

    def to_mongo(
        self, sample_collection: fo.Dataset | fo.DatasetView
    ) -> list[dict[str, Any]]:
        """The pipeline that finds the samples, or filters as it was edited to."""
        if _QUERY not in self.filter:  # by hand, in the App's view bar
            return super().to_mongo(sample_collection)
        view = sample_collection.view()
        with warnings.catch_warnings():  # whoever made the view was warned
            warnings.simplefilter("ignore")
            found = search(view, self.filter[_QUERY])
        added = found._stages[len(view._stages) :]
        return [step for stage in added for step in stage.to_mongo(view)]
