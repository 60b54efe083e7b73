"""What was read as lines for people, and which of them are shown when there are more than anybody can read."""

from collections import Counter, deque
from datetime import UTC, datetime

from rich.cells import cell_len
from rich.text import Text

from schemas.decisions import AgentPresence, Assignment
from streams.demo.reader import RefusedRecord, Seen
from streams.demo.words import PRESENCE_TERMS, because, presence, reason, target

_TARGET_STYLES = {"agent": "green", "robot": "cyan", "message_pool": "yellow"}
_PRESENCE_STYLES = {"online": "green", "suspended": "yellow", "undetected_offline": "red", "offline": "red"}
_LEAD_WIDTH, _TERM_WIDTH, _RULE_WIDTH = 24, 13, 24


class LineMaker:
    """Makes lines.

    Args:
        utc_offset_ms: the shops' local time less UTC; lines have the time of day as it is there.
        compact: leave out the rule's Chinese term, for narrow terminals; its name stays, by which it is looked up.
    """

    def __init__(self, utc_offset_ms: int, *, compact: bool = False) -> None:
        self._compact = compact
        self._utc_offset_ms = utc_offset_ms

    def line(self, seen: Seen) -> Text:
        """One line: when, where, who, which rule, and why."""
        if isinstance(seen, Assignment):
            return self._assignment(seen)
        return self._presence(seen) if isinstance(seen, AgentPresence) else self._refused(seen)

    def time_of_day(self, at_ms: int) -> str:
        """Hours, minutes and seconds in the shops."""
        return datetime.fromtimestamp((at_ms + self._utc_offset_ms) / 1000, UTC).strftime("%H:%M:%S")

    def _assignment(self, assignment: Assignment) -> Text:
        line = self._start(assignment.decided_at_ms, assignment.shop_id)
        lead = Text(f"{assignment.buyer_id} → ")
        lead.append(target(assignment), style=_TARGET_STYLES.get(assignment.target.kind, "yellow"))
        _add(line, lead, _LEAD_WIDTH)
        self._add_term(line, Text(reason(assignment).term, style="bold"))
        _add(line, Text(assignment.rule, style="dim"), _RULE_WIDTH)
        gone = assignment.target_presence == "undetected_offline"
        line.append(because(assignment), style="red" if gone else "")
        return line

    def _presence(self, event: AgentPresence) -> Text:
        line = self._start(event.at_ms, event.shop_id)
        style = _PRESENCE_STYLES[event.presence]
        _add(line, Text(event.agent_id, style=style), _LEAD_WIDTH)
        self._add_term(line, Text(PRESENCE_TERMS[event.presence], style="bold"))
        _add(line, Text(event.presence, style="dim"), _RULE_WIDTH)
        line.append(presence(event), style="red" if event.stranded_buyers else "")
        return line

    def _refused(self, record: RefusedRecord) -> Text:
        line = self._start(record.at_ms, record.key)
        _add(line, Text(record.topic, style="magenta"), _LEAD_WIDTH)
        self._add_term(line, Text("死信", style="bold magenta"))
        _add(line, Text(record.code, style="magenta"), _RULE_WIDTH)
        line.append(f"dead letter: {record.detail}")
        return line

    def _add_term(self, line: Text, term: Text) -> None:
        if not self._compact:
            _add(line, term, _TERM_WIDTH)

    def _start(self, at_ms: int, shop_id: str) -> Text:
        line = Text(f"{self.time_of_day(at_ms)}  ", style="")
        _add(line, Text(shop_id, style="blue"), 8)
        return line


def _add(line: Text, part: Text, width: int) -> None:
    """Add a column; Chinese characters take two cells of a terminal."""
    line.append_text(part)
    line.append(" " * max(1, width - cell_len(part.plain)))


def kind_of(seen: Seen) -> str:
    """What a line is an example of."""
    if isinstance(seen, Assignment):
        return seen.rule
    return seen.presence if isinstance(seen, AgentPresence) else seen.code


def instant_of(seen: Seen) -> int:
    """When it was decided, in milliseconds."""
    if isinstance(seen, Assignment):
        return seen.decided_at_ms
    return seen.at_ms


class Sampler:
    """Chooses what is shown: at most so many lines a second, and of the many kinds the rarest first.

    Args:
        lines_per_s: how many lines a person reads along.
    """

    _KEPT = 4

    def __init__(self, lines_per_s: float) -> None:
        self._lines_per_s = lines_per_s
        self._allowance = 0.0
        self._waiting: dict[str, deque[Seen]] = {}
        self._offered = 0
        self._shown: Counter[str] = Counter()

    def offer(self, seen: Seen) -> None:
        """Something was read."""
        self._offered += 1
        self._waiting.setdefault(kind_of(seen), deque(maxlen=self._KEPT)).append(seen)

    def take(self, elapsed_s: float) -> tuple[list[Seen], int]:
        """What to show of what was offered since the last call, in order of time, and how many others there were."""
        self._allowance = min(self._lines_per_s, self._allowance + elapsed_s * self._lines_per_s)
        chosen: list[Seen] = []
        while self._allowance >= 1 and self._waiting:
            kind = min(self._waiting, key=lambda name: (self._shown[name], name))
            chosen.append(self._waiting[kind].popleft())
            if not self._waiting[kind]:
                del self._waiting[kind]
            self._shown[kind] += 1
            self._allowance -= 1
        hidden = self._offered - len(chosen)
        self._offered = 0
        self._waiting.clear()
        return sorted(chosen, key=instant_of), hidden
