"""Weak spots of a model: found on one half of the samples, confirmed on the other."""

from evalsets.discovery.candidate import Candidate
from evalsets.discovery.conjunctions import Condition
from evalsets.discovery.evidence import Bools, Codes, Evidence, Floats, weigh
from evalsets.discovery.labelling import mend, settle
from evalsets.discovery.prompts import PROMPTS
from evalsets.discovery.regions import Region, Vectors
from evalsets.discovery.search import Proposal, Searchable, search
from evalsets.discovery.wording import Words, describe, distinct

__all__ = [
    "PROMPTS",
    "Bools",
    "Candidate",
    "Codes",
    "Condition",
    "Evidence",
    "Floats",
    "Proposal",
    "Region",
    "Searchable",
    "Vectors",
    "Words",
    "describe",
    "distinct",
    "mend",
    "search",
    "settle",
    "weigh",
]
