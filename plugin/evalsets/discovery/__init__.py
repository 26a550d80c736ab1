"""Weak spots of a model: found on one half of the samples, confirmed on the other."""

from evalsets.discovery.candidate import Candidate
from evalsets.discovery.conjunctions import Condition, propose_conjunctions
from evalsets.discovery.evidence import Bools, Codes, Evidence, Floats, weigh
from evalsets.discovery.labelling import mend, settle
from evalsets.discovery.prompts import PROMPTS
from evalsets.discovery.regions import Region, Vectors, propose_regions
from evalsets.discovery.wording import Words, describe, distinct

__all__ = [
    "PROMPTS",
    "Bools",
    "Candidate",
    "Codes",
    "Condition",
    "Evidence",
    "Floats",
    "Region",
    "Vectors",
    "Words",
    "describe",
    "distinct",
    "mend",
    "propose_conjunctions",
    "propose_regions",
    "settle",
    "weigh",
]
