"""The buyers of one shop: when they write, what about, how long they wait and whether they come back.

A conversation has a number of messages from the start, so the mean rate of the traffic holds whatever the agents do;
how fast the messages follow each other depends on the answers.
"""

from collections.abc import Callable
from random import Random

from streams.simulate.demand import Arrivals, Curve
from streams.simulate.durations import lognormal, pick, uniform
from streams.simulate.options import DAY_MS
from streams.simulate.profiles import ORDER_STATES, PAGES, buyer_id
from streams.simulate.timeline import Timeline

_LENGTHS = (1,) * 5 + (2,) * 6 + (3,) * 4 + (4,) * 2 + (5,) * 2 + (6,)
MEAN_LENGTH = sum(_LENGTHS) / len(_LENGTHS)
"""Messages in a conversation."""

_NEXT_LINE = lognormal(5, 0.6)  # 连发: one thought in several messages
_THINK = lognormal(18, 0.9)
_PATIENCE = lognormal(140, 0.7)
_ASK_FOR_HUMAN = uniform(2, 9)

_FIRST_STAGES = (0, 3, 0, 1, 4, 0, 2, 0, 5, 1, 0)
"""Where buyers stand at the start, as an index of ORDER_STATES: most are looking, some wait, a few return something."""

_WAVE_DAYS = 8
_WAVE_ON = 3
"""In runs of more than three days a buyer is around for three and then away for five, so some return after 72 hours."""


class Conversation:
    """One buyer talking with the shop."""

    __slots__ = ("addressed", "buyer_id", "left", "order_state", "page", "turn", "wants_human")

    def __init__(self, buyer: str, length: int) -> None:
        self.buyer_id = buyer
        self.left = length
        self.turn = 0
        self.order_state: str | None = None
        self.page: str | None = None
        self.addressed: str | None = None
        self.wants_human = False


class Buyers:
    """Everybody who writes to one shop.

    Args:
        timeline: the shop's.
        curve: the day's demand.
        messages: how many are expected over the whole run.
        buyers: how many there are.
        in_waves: whether they stay away for days in between.
        pinduoduo: its buyers come from pages; Taobao's (qianniu) have order states.
        colleagues: whom a buyer may address.
        utc_offset_ms: local time less UTC.
        rng: the buyers' own.
        publish: publishes a conversation's next message.
    """

    def __init__(
        self,
        timeline: Timeline,
        curve: Curve,
        *,
        messages: float,
        buyers: int,
        in_waves: bool,
        pinduoduo: bool,
        colleagues: list[str],
        utc_offset_ms: int,
        rng: Random,
        publish: Callable[[Conversation], None],
    ) -> None:
        self._timeline = timeline
        self._random = rng.random
        self._arrivals = Arrivals(curve, messages / MEAN_LENGTH, rng.random)
        self._count = buyers
        self._in_waves = in_waves and buyers >= _WAVE_DAYS
        self._state_share, self._page_share = (0.4, 0.9) if pinduoduo else (0.88, 0.3)
        self._colleagues = colleagues
        self._utc_offset_ms = utc_offset_ms
        self._publish = publish
        self._stages = (bytearray(_FIRST_STAGES) * (buyers // len(_FIRST_STAGES) + 1))[:buyers]
        self._talking: dict[str, Conversation] = {}
        self._last_agents: dict[str, str] = {}
        self._schedule_arrival()

    def is_talking(self, buyer: str) -> bool:
        """Whether the buyer still expects something of the shop."""
        return buyer in self._talking

    def answered(self, buyer: str, agent_id: str) -> bool:
        """A person wrote to the buyer; True if that was all that the buyer wanted."""
        self._last_agents[buyer] = agent_id
        talk = self._talking.get(buyer)
        if talk is None:
            return False
        talk.turn += 1
        if not talk.left:
            del self._talking[buyer]
            return True
        self._timeline.call_at(self._timeline.now_ms + _THINK.draw(self._random), self._go_on, talk, talk.turn)
        return False

    def answered_by_robot(self, buyer: str) -> None:
        """A robot wrote to the buyer: that is enough, or the buyer wants a person now."""
        talk = self._talking.get(buyer)
        if talk is None:
            return
        talk.turn += 1
        if self._random() < 0.45:
            del self._talking[buyer]
            return
        talk.wants_human = True
        talk.left = max(1, talk.left)
        wait = _ASK_FOR_HUMAN.draw(self._random)
        self._timeline.call_at(self._timeline.now_ms + wait, self._go_on, talk, talk.turn)

    def _schedule_arrival(self) -> None:
        at_ms = self._arrivals.next_ms()
        if at_ms is not None:
            self._timeline.call_at(at_ms, self._arrive)

    def _arrive(self, _subject: None, _token: int) -> None:
        self._schedule_arrival()
        index = self._who()
        buyer, length = buyer_id(index), pick(self._random, _LENGTHS)
        talk = self._talking.get(buyer)
        if talk is not None:  # everybody is talking already: one of them has more to say
            talk.left += length
            return
        talk = self._talking[buyer] = Conversation(buyer, length)
        self._dress(talk, index)
        self._write(talk)

    def _who(self) -> int:
        """A buyer who is around today, frequent ones more often; after some tries one who is talking already."""
        day = (self._timeline.now_ms + self._utc_offset_ms) // DAY_MS
        index = 0
        for _ in range(6):
            index = int(self._random() ** 1.5 * self._count)
            if self._in_waves:
                wave = int(self._random() * _WAVE_ON)
                index = index // _WAVE_DAYS * _WAVE_DAYS + (wave - day) % _WAVE_DAYS
                if index >= self._count:
                    index -= _WAVE_DAYS
            if buyer_id(index) not in self._talking:
                break
        return index

    def _dress(self, talk: Conversation, index: int) -> None:
        """What the chat system knows of the buyer when the conversation begins."""
        random = self._random
        stage = self._stages[index]
        if random() < 0.4:  # the order moves on: from looking to paying, to having, at times to returning it
            last = len(ORDER_STATES) - 1
            stage = 0 if stage >= last - 1 and random() < 0.7 else min(stage + 1, last)
            self._stages[index] = stage
        if random() < self._state_share:
            talk.order_state = ORDER_STATES[stage]
        if random() < self._page_share:
            talk.page = PAGES[-1 - int(random() * 2)] if stage >= 3 else PAGES[int(random() * 4)]
        talk.wants_human = random() < 0.02
        last_agent = self._last_agents.get(talk.buyer_id)
        chance = random()
        if last_agent is not None and chance < 0.08:
            talk.addressed = last_agent
        elif chance > 0.99:
            talk.addressed = pick(random, self._colleagues)
        elif chance > 0.988:
            talk.addressed = "已离职"  # a link to somebody who has left the shop

    def _write(self, talk: Conversation) -> None:
        talk.left -= 1
        talk.turn += 1
        self._publish(talk)
        talk.addressed = None
        burst = talk.left and self._random() < 0.35
        wait = (_NEXT_LINE if burst else _PATIENCE).draw(self._random)
        self._timeline.call_at(self._timeline.now_ms + wait, self._go_on, talk, talk.turn)

    def _go_on(self, talk: Conversation, turn: int) -> None:
        """Write on, or give up; void if something else came between."""
        if turn != talk.turn:
            return
        if talk.left > 0:
            self._write(talk)
        else:
            del self._talking[talk.buyer_id]
