"""How fast the agents of a shop must be for its traffic.

People answer in about 13 s. Where a rate is asked for that no such staff could bear, everybody is faster by one factor,
so that queues grow at the peaks and are worked off after them, at any rate.
"""

from streams.simulate.cast import SHIFTS, Cast
from streams.simulate.demand import MINUTE_MS
from streams.simulate.floor import HUMAN_ANSWER
from streams.simulate.options import DAY_MS, SimulationOptions

_ANSWERS_PER_MESSAGE = 0.75
_UTILISATION = 0.55
_PRESENT = 0.8
"""The share of a shift without breaks, drops and days off."""


def pace(cast: Cast, messages: float, options: SimulationOptions) -> float:
    """The factor on people's usual time for an answer, at most 1."""
    staffed_ms = sum(_overlap_ms(*SHIFTS[agent.rhythm], options) for agent in cast.agents) * _PRESENT
    if staffed_ms == 0:
        return 1.0
    mean_pace = sum(agent.pace for agent in cast.agents) / len(cast.agents)
    bearable_ms = staffed_ms * _UTILISATION / (messages * _ANSWERS_PER_MESSAGE)
    return min(1.0, bearable_ms / (HUMAN_ANSWER.mean_ms * mean_pace))


def _overlap_ms(begin_min: int, end_min: int, options: SimulationOptions) -> int:
    """How much of the run lies within a daily shift."""
    first_day = (options.start_ms + options.utc_offset_ms) // DAY_MS - 1
    last_day = (options.end_ms + options.utc_offset_ms) // DAY_MS
    overlap_ms = 0
    for day in range(first_day, last_day + 1):
        midnight_ms = day * DAY_MS - options.utc_offset_ms
        begin_ms = max(options.start_ms, midnight_ms + begin_min * MINUTE_MS)
        overlap_ms += max(0, min(options.end_ms, midnight_ms + end_min * MINUTE_MS) - begin_ms)
    return overlap_ms
