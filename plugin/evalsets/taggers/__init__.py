"""Tags: what can be said of an image, as sample fields that queries filter on."""

from evalsets.taggers.declared import read_taggers
from evalsets.taggers.disagreement import Disagreement
from evalsets.taggers.document import DocumentText
from evalsets.taggers.facts import FileFacts
from evalsets.taggers.model import AreaFraction, ObjectCount, Presence
from evalsets.taggers.sequences import Flicker, Jump
from evalsets.taggers.statistics import ImageStatistics
from evalsets.taggers.tagger import (
    FileTagger,
    LabelTagger,
    PixelTagger,
    SampleTagger,
    Tagger,
    Tags,
    VectorTagger,
    checked,
    placed,
)
from evalsets.taggers.zero_shot import ZeroShot

__all__ = [
    "AreaFraction",
    "Disagreement",
    "DocumentText",
    "FileFacts",
    "FileTagger",
    "Flicker",
    "ImageStatistics",
    "Jump",
    "LabelTagger",
    "ObjectCount",
    "PixelTagger",
    "Presence",
    "SampleTagger",
    "Tagger",
    "Tags",
    "VectorTagger",
    "ZeroShot",
    "checked",
    "placed",
    "read_taggers",
]
