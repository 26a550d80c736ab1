"""Exact cosine similarity over a growing file of vectors."""

from evalsets.similarity.search import above, ranks, scores, top_k
from evalsets.similarity.unit import unit
from evalsets.similarity.vectors import VectorFile

__all__ = ["VectorFile", "above", "ranks", "scores", "top_k", "unit"]
