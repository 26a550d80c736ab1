"""Captions of drawn scenes, for training the demo's CLIP and for nothing else.

A scene is a set of facts; a caption is a sentence and the facts it states, so it is true
of every picture whose facts include them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

_NUMBERS = [
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
]

_PLACES = {
    "windy road": (
        "a windy road", "a winding road", "a curvy road", "a road with many bends",
        "a twisting road", "a road with curves", "a windy street",
    ),
    "straight road": (
        "a straight road", "a road that runs straight ahead", "a straight street",
        "a straight highway", "a road without bends",
    ),
    "road": ("a road", "a street", "an asphalt road"),
    "harbour": (
        "a harbour", "a harbor", "a port", "a quay", "a harbour with cranes and ships",
        "ships in a port", "a harbour front",
    ),
    "bridge": (
        "a bridge", "a suspension bridge", "a bridge over the ocean",
        "an ocean view on a bridge", "an ocean view from a bridge",
        "a bridge with an ocean view", "the deck of a bridge", "a bridge over the sea",
        "ocean view on a bridge",
    ),
    "factory floor": (
        "a factory floor", "a factory hall", "a factory", "a plant floor",
        "the inside of a factory", "an industrial hall", "a workshop with machines",
    ),
    "open sea": (
        "the open sea", "the open ocean", "open water", "nothing but ocean",
        "the sea", "a wide ocean",
    ),
    "ocean": ("the ocean", "an ocean view", "a view of the sea", "water", "ocean"),
    "indoors": ("an indoor scene", "indoors", "the inside of a building", "a hall"),
    "outdoors": ("an outdoor scene", "outdoors", "a scene outside"),
}  # fmt: skip
_BEFORE = {
    "sunny": ("sunny",),
    "cloudy": ("cloudy", "overcast"),
    "rain": ("rainy", "wet"),
    "fog": ("foggy", "misty"),
    "snow": ("snowy", "snow-covered"),
    "lit": ("brightly lit", "well lit", "well-lit"),
    "dim": ("dimly lit", "dim", "poorly lit", "gloomy"),
    "crowd": ("crowded", "busy"),
    "people 0": ("empty", "deserted"),
}
_AFTER = {
    "sunny": ("in sunny weather", "in the sunshine", "in bright sunshine"),
    "clear": ("under the stars", "under a clear night sky", "on a starry night"),
    "cloudy": ("under a cloudy sky", "in cloudy weather", "under grey clouds"),
    "rain": ("in the rain", "in heavy rain", "in rainy weather", "while it rains"),
    "fog": ("in the fog", "in fog", "in dense fog", "in foggy weather", "in mist"),
    "snow": ("in the snow", "in snow", "in snowy weather", "while it snows"),
    "day": ("by day", "during the day", "in daylight", "at daytime"),
    "sunset": ("at sunset", "at dusk", "in the evening light", "with a red sky"),
    "night": ("at night", "by night", "after dark", "in the dark"),
    "glare": (
        "with sun glare", "with the sun shining into the camera", "with lens flare",
        "with strong glare", "against the sun", "with blinding sun",
    ),
    "no glare": ("without glare", "without sun glare", "with no lens flare"),
    "trees": (
        "with trees", "lined with trees", "with trees along it", "between trees",
        "with trees on both sides",
    ),
    "no trees": (
        "without trees", "with no trees", "without any trees", "with no trees along it",
    ),
    "crowd": (
        "with a crowd of people", "with many people", "with more than five people",
        "with lots of people",
    ),
    "people": ("with people", "with some people", "with pedestrians"),
    "people 0": ("with no people", "without people", "with nobody", "with nobody there"),
    "vehicles": ("with vehicles", "with traffic"),
    "no vehicles": ("without vehicles", "with no traffic"),
    "lit": ("with bright lamps", "with the lights on", "in bright light"),
    "dim": ("in dim light", "with most lamps off", "in poor light"),
}  # fmt: skip
_ALONE = {
    "sunny": ("sunny weather", "sunshine", "sunny"),
    "sunny day": ("a sunny day", "a bright sunny day", "a blue sky"),
    "clear": ("a clear night", "a starry night", "stars and the moon", "a clear sky at night"),
    "cloudy": ("cloudy weather", "clouds", "an overcast sky", "a cloudy sky", "cloudy"),
    "rain": ("rain", "rainy weather", "heavy rain", "falling rain", "a rainy day", "rainy"),
    "fog": ("fog", "foggy weather", "dense fog", "mist", "a foggy day", "foggy"),
    "snow": ("snow", "snowy weather", "falling snow", "a snowy day", "snowy"),
    "day": ("daytime", "day", "daylight"),
    "sunset": ("sunset", "a sunset", "dusk", "the evening", "a red evening sky"),
    "night": ("night", "darkness outside", "a night scene", "nighttime"),
    "glare": ("sun glare", "lens flare", "the sun shining into the camera", "glare", "a low sun that blinds the camera"),
    "no glare": ("no glare", "no sun glare"),
    "trees": ("trees", "trees along a road", "a road lined with trees"),
    "no trees": ("no trees",),
    "people": ("people", "pedestrians", "someone"),
    "crowd": ("a crowd", "a crowd of people", "many people", "more than five people"),
    "people 0": ("nobody", "no people", "a place without people"),
    "lit": ("a brightly lit hall", "bright lamps indoors"),
    "dim": ("a dimly lit hall", "a dark hall", "dim light indoors"),
    "vehicles": ("vehicles", "traffic"),
}  # fmt: skip
_OPENINGS = (
    "a photo of", "a picture of", "an image of", "a camera view of", "a drawing of",
    "a good photo of", "a bad photo of", "a blurry photo of", "this is",
)  # fmt: skip


@dataclass(frozen=True)
class Caption:
    """A sentence, and the facts that make it true."""

    text: str
    facts: frozenset[str]


def facts_of(record: Mapping[str, object]) -> frozenset[str]:
    """What is true of a picture, from its row of the labels."""
    kind, weather, time = (str(record[name]) for name in ("kind", "weather", "time"))
    people = int(str(record["num_people"]))
    facts = {kind, weather, time, f"people {people}"}
    facts.add("trees" if record["trees"] else "no trees")
    facts.add("glare" if record["glare"] else "no glare")
    facts.add("vehicles" if record["num_vehicles"] else "no vehicles")
    facts |= {str(record["lighting"])} - {""}
    facts |= {"outdoors"} - ({"outdoors"} if "indoors" in facts else set())
    facts |= {"road"} if kind.endswith("road") else set()
    facts |= {"ocean"} if kind in ("harbour", "bridge", "open sea") else set()
    facts |= {"people"} if people else set()
    facts |= {"crowd"} if people > 5 else set()
    facts |= {"sunny day"} if {"sunny", "day"} <= facts else set()
    return frozenset(facts)


FACTS = tuple(
    sorted(
        {*_PLACES, *_BEFORE, *_AFTER, *_ALONE, *(f"people {n}" for n in range(1, 10))}
    )
)


def describe(facts: frozenset[str], rng: np.random.Generator) -> Caption:
    """A random true caption of a picture with these facts."""
    caption = _alone(facts, rng) if rng.random() < 0.3 else _place(facts, rng)
    text = caption.text
    if rng.random() < 0.5:
        text = f"{_any(rng, _OPENINGS)} {text}"
    if rng.random() < 0.2:
        text += "."
    return Caption(text, caption.facts)


def all_words() -> list[str]:
    """Every phrase of the captions, for building a vocabulary."""
    phrases = [
        phrase
        for group in (_PLACES, _BEFORE, _AFTER, _ALONE)
        for texts in group.values()
        for phrase in texts
    ]
    return [*phrases, *_OPENINGS, *_NUMBERS, "with one person", "with people and"]


def _alone(facts: frozenset[str], rng: np.random.Generator) -> Caption:
    fact = _any(rng, _worth_saying(facts & _ALONE.keys(), rng))
    return Caption(_any(rng, _ALONE[fact]), frozenset({fact}))


def _place(facts: frozenset[str], rng: np.random.Generator) -> Caption:
    place = _any(rng, sorted(facts & _PLACES.keys()))
    kinds = [
        fact
        for fact in facts & _PLACES.keys()
        if fact.count(" ") or fact in ("harbour", "bridge")
    ]
    if kinds and rng.random() < 0.6:
        place = kinds[0]
    text, stated = _any(rng, _PLACES[place]), {place}
    before = sorted(facts & _BEFORE.keys())
    if before and rng.random() < 0.4:
        fact = _any(rng, before)
        text = _with_adjective(text, _any(rng, _BEFORE[fact]))
        stated.add(fact)
    after = _worth_saying(facts & _AFTER.keys() - stated, rng)
    if "people" in facts and rng.random() < 0.3:
        after.append(next(fact for fact in facts if fact.startswith("people ")))
    count = int(rng.choice(4, p=(0.2, 0.4, 0.28, 0.12)))
    for i in rng.permutation(len(after))[:count]:
        stated.add(after[i])
        text += f" {_ending(after[i], rng)}"
    return Caption(text, frozenset(stated))


def _worth_saying(facts: frozenset[str], rng: np.random.Generator) -> list[str]:
    """The facts, most often without those about what is missing."""
    return sorted(
        fact for fact in facts if not fact.startswith("no ") or rng.random() < 0.3
    )


def _ending(fact: str, rng: np.random.Generator) -> str:
    if fact in _AFTER:
        return _any(rng, _AFTER[fact])
    number = int(fact.split()[1])
    noun = "person" if number == 1 else "people"
    return f"with {_NUMBERS[number] if rng.random() < 0.7 else number} {noun}"


def _with_adjective(text: str, adjective: str) -> str:
    article, _, rest = text.partition(" ")
    if article in ("a", "an", "the") and rest:
        article = (
            article if article == "the" else ("an" if adjective[0] in "aeo" else "a")
        )
        return f"{article} {adjective} {rest}"
    return f"{adjective} {text}"


def _any(rng: np.random.Generator, options):
    return options[int(rng.integers(len(options)))]
