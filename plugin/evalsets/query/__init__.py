"""The query language: text → tree → checked tree, and what it means."""

from evalsets.query.advice import PromptWarning, advise
from evalsets.query.arrays import coded, column_of, evaluate, is_quick
from evalsets.query.check import check
from evalsets.query.interpret import interpret
from evalsets.query.parse import parse
from evalsets.query.rewrite import (
    fields,
    inline,
    models,
    references,
    renamed,
    replace,
    similarity_predicates,
    terms,
)
from evalsets.query.syntax import Expr, Members, Query, Rank, Similarity, Term
from evalsets.query.text import to_text
from evalsets.query.types import FieldType, Schema

__all__ = [
    "Expr",
    "FieldType",
    "Members",
    "PromptWarning",
    "Query",
    "Rank",
    "Schema",
    "Similarity",
    "Term",
    "advise",
    "check",
    "coded",
    "column_of",
    "evaluate",
    "fields",
    "inline",
    "interpret",
    "is_quick",
    "models",
    "parse",
    "references",
    "renamed",
    "replace",
    "similarity_predicates",
    "terms",
    "to_text",
]
