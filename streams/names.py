"""Which name somebody may have meant who wrote another."""

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

_SHORT = 3
"""Names of so many characters are near with half of them the same: 小莉 for 小丽."""


def do_you_mean(name: str, names: Iterable[str]) -> str:
    """`; do you mean X?` of the nearest names, or nothing if none is near."""
    cutoff = 0.5 if len(name) <= _SHORT else 0.6
    near = get_close_matches(name, sorted(set(names)), n=3, cutoff=cutoff)
    if not near:
        return ""
    best = _likeness(near[0], name)
    return f"; do you mean {' or '.join(each for each in sorted(near) if _likeness(each, name) == best)}?"


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()
