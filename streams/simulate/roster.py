"""An agent's working day: shift, breaks, suspensions (挂起), network drops, second devices and the phone.

A day is a list of steps in order of time. It knows nothing of buyers.
"""

from collections.abc import Iterable, Iterator
from operator import attrgetter
from random import Random
from typing import NamedTuple

from schemas.events import DeviceName, StatusName
from streams.simulate.cast import SHIFTS, AgentTraits
from streams.simulate.durations import Draw, exponential, lognormal, uniform
from streams.simulate.options import DAY_MS

_MINUTE_MS = 60_000
SECOND_PC = "pc-2"

_TO_NEXT = exponential(40 * 60)
_MEAL = uniform(20 * 60, 45 * 60)
_BREAK = uniform(3 * 60, 12 * 60)
_CATCH_UP = uniform(2 * 60, 8 * 60)
_SHORT_DROP = lognormal(15, 0.8)  # over before the platform notices (L5)
_LONG_DROP = lognormal(11 * 60, 0.7)  # far beyond the detection lag
_LATE_OR_EARLY = uniform(0, 9 * 60)
_MOMENT = uniform(0.2, 4)
# Of the interruptions: network drops, then suspensions at the desk, and the rest are breaks.
_DROPS, _STAYS = 0.62, 0.80


class Step(NamedTuple):
    """Something an agent does, or that happens to it.

    Args:
        at_ms: when.
        agent_id: who.
        status: the status event that the platform sees, or None if it sees nothing.
        device: which kind of device.
        device_id: which one of that kind.
        here: whether the agent sits at it from now on; None: as before.
        connects: whether the device is connected from now on; None: as before.
    """

    at_ms: int
    agent_id: str
    status: StatusName | None
    device: DeviceName = "pc"
    device_id: str = ""
    here: bool | None = None
    connects: bool | None = None


def day_plan(agent: AgentTraits, day: int, utc_offset_ms: int, rng: Random, *, silent_drops: bool) -> list[Step]:
    """The steps of the shift that begins on local day `day` (days since 1970), in order of time.

    With `silent_drops` half of the network drops send no status event: only heartbeats can tell (L9).
    """
    if agent.day_off is not None and day % 7 == agent.day_off:
        return []
    begin_min, end_min = SHIFTS[agent.rhythm]
    midnight_ms = day * DAY_MS - utc_offset_ms
    begin_ms = midnight_ms + begin_min * _MINUTE_MS + _LATE_OR_EARLY.draw(rng.random) - 5 * _MINUTE_MS
    end_ms = midnight_ms + end_min * _MINUTE_MS + _LATE_OR_EARLY.draw(rng.random)
    steps = [
        *_shift(agent, begin_ms, end_ms, rng.random, silent_drops=silent_drops),
        *_other_devices(agent, begin_ms, end_ms, rng.random),
    ]
    steps.sort(key=attrgetter("at_ms"))
    return steps


def _shift(agent: AgentTraits, begin_ms: int, end_ms: int, random: Draw, *, silent_drops: bool) -> Iterator[Step]:
    """The main PC and the account, from coming to leaving."""
    who = agent.agent_id
    meal_ms = begin_ms + int((end_ms - begin_ms) * (0.3 + 0.25 * random()))
    last_ms = end_ms - 12 * _MINUTE_MS
    yield Step(begin_ms, who, "online", here=True, connects=True)
    at_ms = begin_ms
    while True:
        at_ms += _TO_NEXT.draw(random)
        if meal_ms is not None and at_ms >= meal_ms:
            at_ms, length_ms, kind, meal_ms = meal_ms, _MEAL.draw(random), 1.0, end_ms * 2
        else:
            kind = random()
            length_ms = _length_ms(kind, random)
        if at_ms + length_ms >= last_ms:
            break
        yield from _interruption(who, at_ms, at_ms + length_ms, kind, silent=silent_drops and random() < 0.5)
        at_ms += length_ms
    if random() < 0.6:  # no new buyers in the last minutes, to finish with the old ones
        yield Step(end_ms - 6 * _MINUTE_MS, who, "suspended")
    yield Step(end_ms, who, "logged_out" if agent.logs_out else "offline", here=False, connects=False)


def _length_ms(kind: float, random: Draw) -> int:
    if kind < 0.40:
        return _SHORT_DROP.draw(random)
    if kind < _DROPS:
        return _LONG_DROP.draw(random)
    return (_CATCH_UP if kind < _STAYS else _BREAK).draw(random)


def _interruption(who: str, from_ms: int, to_ms: int, kind: float, *, silent: bool) -> Iterator[Step]:
    """A network drop, or a suspension with or without leaving the desk; `kind` from 0 to 1 says which."""
    if kind < _DROPS:
        yield Step(from_ms, who, None if silent else "offline", connects=False)
        yield Step(to_ms, who, "online", here=True, connects=True)
    elif kind < _STAYS:  # 挂起 to catch up
        yield Step(from_ms, who, "suspended")
        yield Step(to_ms, who, "resumed")
    else:
        yield Step(from_ms, who, "suspended", here=False)
        yield Step(to_ms, who, "resumed", here=True)


def _other_devices(agent: AgentTraits, begin_ms: int, end_ms: int, random: Draw) -> Iterator[Step]:
    who, length_ms = agent.agent_id, end_ms - begin_ms
    if agent.second_pc:
        yield Step(begin_ms + int(length_ms * 0.2 * random()), who, "online", "pc", SECOND_PC, connects=True)
        yield Step(end_ms - int(length_ms * 0.3 * random()) - 1, who, "offline", "pc", SECOND_PC, connects=False)
    if agent.mobile:
        # On the way home the phone is still online; a third of them log out, the others just fall asleep.
        yield Step(begin_ms + int(length_ms * 0.5 * random()), who, "online", "mobile", connects=True)
        status: StatusName = "logged_out" if random() < 0.33 else "offline"
        yield Step(end_ms + int(90 * _MINUTE_MS * random()), who, status, "mobile", connects=False)


def standing_at(steps: Iterable[Step], start_ms: int, random: Draw) -> list[Step]:
    """What is left to say at `start_ms` of the steps before it: who is connected, suspended, at the desk."""
    devices: dict[tuple[DeviceName, str], Step] = {}
    account: Step | None = None
    here: bool | None = None
    for step in steps:
        if step.connects is not None:
            devices[step.device, step.device_id] = step
            if step.connects and step.here:
                account = None
        elif step.status is not None:
            account = step
        here = step.here if step.here is not None else here
    standing = [step for step in devices.values() if step.connects]
    if account is not None and account.status == "suspended" and standing:
        standing.append(account)
    moment_ms = start_ms
    result = []
    for step in standing:
        moment_ms += _MOMENT.draw(random)
        result.append(step._replace(at_ms=moment_ms, here=here))
    return result
