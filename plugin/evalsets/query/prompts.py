"""What a prompt asks that no encoder of images and text can tell: absence and numbers.

Read by the words, in English, and rather too little than too much: "no entry sign",
"notebook", "route 66" and "two-lane road" are things that can be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_UP_TO_EIGHT = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")
_NUMBERS = {word: number for number, word in enumerate(_UP_TO_EIGHT)} | {
    "nine": 9,
    "ten": 10,
    "twelve": 12,
    "a dozen": 12,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "fifty": 50,
}
_BOUNDS = {
    "more than": ">",
    "greater than": ">",
    "over": ">",
    "above": ">",
    "at least": ">=",
    "no fewer than": ">=",
    "no less than": ">=",
    "not less than": ">=",
    "fewer than": "<",
    "less than": "<",
    "under": "<",
    "below": "<",
    "at most": "<=",
    "no more than": "<=",
    "not more than": "<=",
    "up to": "<=",
    "exactly": "=",
    "precisely": "=",
    "only": "=",
    "just": "=",
}
_SIGNS = {sign: sign for sign in (">=", "<=", ">", "<", "=")} | {"≥": ">=", "≤": "<="}
_AFTER = {"or more": ">=", "+": ">=", "or fewer": "<=", "or less": "<="}
_UNITS = (
    "hours minutes seconds years days weeks months decades kilometers kilometres meters "
    "metres miles feet inches degrees dollars euros pounds pixels stars dimensions lanes"
)


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(w).replace(r"\ ", r"\s+") for w in words)


_COUNT = re.compile(
    rf"(?:\b(?P<bound>{_any(_BOUNDS)})\s+|(?P<sign>{_any(_SIGNS)})\s*)?"
    rf"\b(?P<number>\d{{1,4}}|{_any(_NUMBERS)})"
    rf"(?:\s*(?P<after>{_any(_AFTER)}))?(?:\s+(?:of|the))*"
    r"\s+(?P<noun>(?:[a-z]+\s+)?[a-z]+)\b",
    re.IGNORECASE,
)
_NAMED_FIRST = re.compile(
    rf"\b(?P<noun>[a-z]+)\s*(?P<sign>{_any(_SIGNS)})\s*(?P<number>\d{{1,4}})\b",
    re.IGNORECASE,
)
_PLURAL = re.compile(
    r"(?:people|men|women|children|teeth|geese|mice|sheep|deer|fish|cattle|aircraft"
    r"|\w+men|\w*[^siu\W]s)$",
    re.IGNORECASE,
)
_SEEN = re.compile(
    r'"[^"]*"|\bno[ -](?:entry|entrance|exit|parking|smoking|stopping|standing|waiting'
    r"|overtaking|passing|trespassing|swimming|fishing|diving|littering|cycling"
    r"|admittance|vacancy|thoroughfare|through|u-turn|(?:left |right )?turns?)\b"
    r"|\bno \w+ allowed\b|\bdo not (?:enter|cross|disturb|touch|litter|feed|walk)\b"
    r"|\bno\.? ?\d+|\bnothing but\b|\bnot only\b|\bno man's land\b"
    r"|\b(?:route|highway|number|gate|bus|platform|line|terminal|track|room|formula"
    r"|boeing|airbus|level|area|page|channel|exit|section|mark|type) (?:\d+|one|two)",
    re.IGNORECASE,
)
"""Phrases that hold such a word and yet name what can be seen."""
_ABSENCE = re.compile(
    r"\bno[ -]one\b|\bnobody\b|\bnone\b|\bnot\b|\bno\b|\bnever\b|\bneither\b|\bnor\b"
    r"|\bwithout\b|\b\w+n['’]t\b|\b(?:empty|free|devoid|void|clear|absence)\s+of\b"
    r"|\black(?:s|ing)?\b|\bexcept\b|\bexcluding\b|\bother\s+than\b",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"\b(?:in|on|at|under|near|by|behind|beside|along|around|between|over|above|below"
    r"|across|during|through|inside|outside|but|next\s+to)\b|;|\.(?=\s)",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"^\s*(?:an?\s+|the\s+)?(?:photo(?:graph)?|picture|image)s?\s+(?:of|with|showing)\b",
    re.IGNORECASE,
)
_LEFT_OPEN = re.compile(
    r"(?:^|\b)(?:with|in|on|at|of|and|but|or|that|which|who|is|are|was|were|has|have|having|does|do"
    r"|there|where|it|a|an|the|,|;|\.|\s)+$",
    re.IGNORECASE,
)
_LEADING = re.compile(
    r"^(?:any|an?|the|single|have|has|contain|show|for|of|no|and|or|but|with|visible"
    r"|,|\s)+(?:\b|(?<=\s)|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Count:
    """A number of things: ``noun operator number``."""

    noun: str
    operator: str
    number: int


@dataclass(frozen=True)
class Reading:
    """A prompt, taken apart.

    Args:
        shown: what is left for the encoder to see; may be empty
        absent: what must not be seen, each in its own words
        counts: how many of what
        negates: whether something is said to be absent, readable or not
    """

    shown: str
    absent: tuple[str, ...] = ()
    counts: tuple[Count, ...] = ()
    negates: bool = False


def read_prompt(prompt: str) -> Reading:
    """Takes a prompt apart into what is seen, what is not, and how many."""
    counts: list[Count] = []
    rest, masked = _without_counts(_spoken(prompt), counts)
    marks = list(_ABSENCE.finditer(masked))
    if not marks and not counts:
        return Reading(prompt)
    absent: list[str] = []
    shown = rest[: marks[0].start()] if marks else rest
    ends = [mark.start() for mark in marks[1:]] + [len(rest)]
    for mark, end in zip(marks, ends, strict=False):
        things, where = _parted(rest[mark.end() : end])
        if mark.group().lower() in ("nobody", "no one", "no-one"):
            things = ["people"]
        absent += things
        shown = f"{_LEFT_OPEN.sub('', shown)} {where}"
    shown = _tidied(shown, {c.noun for c in counts} | set(absent))
    return Reading(shown, tuple(dict.fromkeys(absent)), tuple(counts), bool(marks))


def _spoken(prompt: str) -> str:
    """The prompt with "people > 5" as "> 5 people", and commas for parentheses."""
    turned = _NAMED_FIRST.sub(
        lambda m: (
            f"{m['sign']} {m['number']} {m['noun']}"
            if _PLURAL.match(m["noun"])
            else m.group()
        ),
        prompt,
    )
    return re.sub(r"\s*[()\[\]]", ", ", turned)


_NONE = {("=", 0), ("<=", 0), ("<", 1)}
_ANYTHING = {"image", "photo", "photograph", "picture", "everything", "anything"}


def _without_counts(prompt: str, counts: list[Count]) -> tuple[str, str]:
    """The prompt without its numbers, and the same with what can be seen masked."""
    masked = _SEEN.sub(lambda seen: "x" * len(seen.group()), prompt)
    rest, blank, last = "", "", 0
    for found in _COUNT.finditer(masked):
        count = _count(found)
        if count is not None:
            none = (count.operator, count.number) in _NONE
            counts += [] if none else [count]
            gap = slice(last, found.start())
            rest += prompt[gap] + ("no " if none else "")
            blank += masked[gap] + ("no " if none else "")
            last = found.start("noun")
    return rest + prompt[last:], blank + masked[last:]


def _count(found: re.Match[str]) -> Count | None:
    bound = " ".join((found["bound"] or found["sign"] or "").lower().split())
    after = " ".join((found["after"] or "").lower().split())
    written = " ".join(found["number"].lower().split())
    number = int(written) if written.isdecimal() else _NUMBERS[written]
    operator = (_BOUNDS | _SIGNS).get(bound) or _AFTER.get(after) or "="
    words = found["noun"].lower().split()
    if _PLURAL.match(words[0]) or (bound and number == 1):
        words = words[:1]
    dated = not bound and 1800 <= number < 2100
    some = (operator, number) == (">=", 1) or (not bound and number == 1)
    if dated or some or words[-1] in _UNITS.split():
        return None
    if not _PLURAL.match(words[-1]) and not (bound and number == 1):
        return None
    return Count(" ".join(words), operator, number)


def _parted(tail: str) -> tuple[list[str], str]:
    """What is absent, and what is said after it of where it is absent."""
    place = _ELSEWHERE.search(tail)
    things, where = (
        (tail[: place.start()], tail[place.start() :]) if place else (tail, "")
    )
    where = re.sub(r"^(?:but(?:\s+with)?\b|;|\.)", "with", where, flags=re.IGNORECASE)
    items = re.split(r",|\b(?:and|or|nor)\b", things)
    return [item for item in map(_bare, items) if item], where.strip()


def _bare(words: str) -> str:
    words = _LEADING.sub("", words.strip(" ,;.!?"))
    return re.sub(r"\s+(?:at all|visible|anywhere)$", "", words).strip(" ,;.!?")


def _tidied(shown: str, named: set[str]) -> str:
    """What is left, if it says more than the things that were counted."""
    shown = " ".join(_LEFT_OPEN.sub("", _OPENING.sub("", shown)).split()).strip(" ,;")
    place = _ELSEWHERE.match(shown)
    if place:
        shown = shown[place.end() :].strip()
    return "" if _bare(shown).lower() in named | _ANYTHING else shown
