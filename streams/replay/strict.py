"""Fields that no event has and fenliu ignores: most are misspelt, and then what they say is missing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

import orjson

from schemas.codec import TYPE_OF_TOPIC, Event, Topic
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from schemas.shop import ShopConfigChange
from streams.names import do_you_mean
from streams.replay.lines import Line
from streams.shops_file import unknown_settings

_FIELDS: Final[dict[Topic, frozenset[str]]] = {
    "buyer-messages": frozenset(("type", *BuyerMessage.__struct_fields__)),
    "agent-status": frozenset(("type", *AgentStatus.__struct_fields__)),
    "agent-replies": frozenset(("type", *AgentReply.__struct_fields__)),
}
_INDEX: Final = re.compile(r"\[\d+\]")


@dataclass(slots=True)
class _Found:
    first: Line
    guess: str
    lines: int = 0


class UnknownFields:
    """Collects them, each with the first line that has it and with how many do."""

    def __init__(self) -> None:
        self._found: dict[tuple[Topic, str], _Found] = {}

    def look(self, line: Line, topic: Topic, event: Event) -> None:
        """Take note of what a good line has and its event has not."""
        document = cast("dict[str, object]", orjson.loads(line.text))
        if isinstance(event, ShopConfigChange):
            for path, guess in unknown_settings(document, event):
                self._note(topic, _INDEX.sub("[]", path.removeprefix("$.")), line, guess)
            return
        known = _FIELDS[topic]
        for name in document:
            if name not in known:
                guess = "" if (topic, name) in self._found else do_you_mean(name, known)
                self._note(topic, name, line, guess)

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[str]:
        """A sentence for each, in the order of the lines that had it first."""
        for (topic, name), found in self._found.items():
            lines = "" if found.lines == 1 else f" ({found.lines:,} lines)"
            kind = TYPE_OF_TOPIC[topic]
            yield f"{found.first.place}: no {kind} has a field {name}: it is ignored{lines}{found.guess}"

    def _note(self, topic: Topic, name: str, line: Line, guess: str) -> None:
        found = self._found.setdefault((topic, name), _Found(line, guess))
        found.lines += 1
