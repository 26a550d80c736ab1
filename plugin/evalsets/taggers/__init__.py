"""Tags: what can be said of an image, as sample fields that queries filter on."""

from evalsets.taggers.declared import read_taggers
from evalsets.taggers.model import AreaFraction, ObjectCount
from evalsets.taggers.statistics import ImageStatistics
from evalsets.taggers.tagger import PixelTagger, Tagger, VectorTagger
from evalsets.taggers.zero_shot import ZeroShot

__all__ = [
    "AreaFraction",
    "ImageStatistics",
    "ObjectCount",
    "PixelTagger",
    "Tagger",
    "VectorTagger",
    "ZeroShot",
    "read_taggers",
]
