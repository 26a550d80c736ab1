"""``advise``: what a query asks in vain, and what to write instead."""

from __future__ import annotations

from evalsets import query as language
from evalsets.datasets.connect import Source, open_dataset
from evalsets.datasets.populations import read_query
from evalsets.query import PromptWarning


def advise(dataset: Source, query: str) -> PromptWarning | None:
    """What a query asks that no encoder can tell, or that tells nothing apart.

    CLIP does not read negation ("no trees") and does not count ("five people"), but a
    query can say both. ``x = NULL``, bounds the wrong way round and cuts beyond any
    similarity are SQL, and never true. ``search`` and ``compose`` warn of it.

    Args:
        dataset: or its name, in whose fields things may be counted
        query: a condition, or a whole ``SELECT``

    Returns:
        a warning with the ``problem`` in words and a ``proposal``: the query said
        otherwise, empty where its fields are missing; None where all is well

    Raises:
        QueryError: the query cannot be read, or names what the dataset does not have
    """
    opened = open_dataset(dataset)
    parsed, _, schema = read_query(opened, query)
    return language.advise(parsed, schema)
