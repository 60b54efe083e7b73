"""Who works in a shop: agents with their pace, their shift and their devices. It knows nothing of traffic."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

NAMES = (
    "小满", "阿宁", "小鹿", "豆豆", "青青", "子墨", "安安", "小北", "可可", "云朵", "阿泽", "小雨",
    "糖糖", "星河", "米粒", "小舟", "果果", "阿杰", "晚晚", "初一", "南风", "小椰", "知夏", "阿澈",
    "橙子", "小年", "半夏", "木木", "小楠", "乐乐", "沐沐", "阿木", "小桃", "念念", "小葵", "阿秋",
    "九月", "小麦", "多多", "灵灵",
)  # fmt: skip
"""Nicknames as sub-accounts (子账号) carry them."""

Rhythm = Literal["early", "late", "middle", "long", "night"]
SHIFTS: dict[Rhythm, tuple[int, int]] = {
    "early": (8 * 60 + 55, 17 * 60 + 55),
    "late": (14 * 60 + 30, 23 * 60 + 40),
    "middle": (10 * 60, 20 * 60),
    "long": (9 * 60, 22 * 60 + 30),
    "night": (22 * 60 + 30, 31 * 60 + 30),
}
"""Begin and end of a shift, in minutes of the local day; a night shift ends on the next one."""

# Most at work in the two peaks, somebody over the lunch of the others.
_ROSTER: Sequence[Rhythm] = ("early", "late", "early", "late", "middle")
_PACES = (0.6, 0.8, 0.9, 1.0, 1.0, 1.1, 1.3, 1.9)
_WEIGHTS = (50, 80, 100, 100, 100, 120, 150, 200, 300)


@dataclass(frozen=True, slots=True)
class AgentTraits:
    """An agent as it is over the whole run.

    Args:
        agent_id: the sub-account.
        rhythm: which shift it works.
        pace: how long it takes for an answer, against the mean: 0.6 is fast, 1.9 slow.
        weight: what the shop's settings give it (接待权重).
        day_off: which day of seven it is away, or None.
        second_pc: it works at two PCs on one account for a part of the shift.
        mobile: it goes on with the phone in breaks and on the way home.
        logs_out: it logs out at the end; the others only close the lid.
    """

    agent_id: str
    rhythm: Rhythm
    pace: float
    weight: int
    day_off: int | None
    second_pc: bool
    mobile: bool
    logs_out: bool


@dataclass(frozen=True, slots=True)
class Cast:
    """A shop and the people in it."""

    shop_id: str
    agents: tuple[AgentTraits, ...]
    buyers: int

    @property
    def agent_ids(self) -> list[str]:
        """In the order of the roster."""
        return [agent.agent_id for agent in self.agents]


def make_cast(shop_id: str, agents: int, buyers: int, rng: Random, *, night_duty: bool) -> Cast:
    """Draw a shop's people; `night_duty` puts the last of four or more agents on nights."""
    first = int(rng.random() * len(NAMES))
    people = []
    for index in range(agents):
        rhythm: Rhythm = _ROSTER[index % len(_ROSTER)] if agents > 1 else "long"
        if night_duty and agents >= 4 and index == agents - 1:
            rhythm = "night"
        again = index // len(NAMES)
        people.append(
            AgentTraits(
                agent_id=NAMES[(first + index) % len(NAMES)] + (str(again + 1) if again else ""),
                rhythm=rhythm,
                pace=_PACES[int(rng.random() * len(_PACES))],
                weight=_WEIGHTS[int(rng.random() * len(_WEIGHTS))],
                # Never two neighbours of the roster on the same day; small shops cannot spare anybody.
                day_off=(index * 3 + 2) % 7 if agents >= 3 else None,
                second_pc=rng.random() < 0.15,
                mobile=rng.random() < 0.4,
                logs_out=rng.random() < 0.6,
            )
        )
    return Cast(shop_id, tuple(people), buyers)
