"""Run a scenario through the contract's codec, the merge and the router, and compare what came with what should."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from schemas.codec import Event, InvalidEvent, Topic, decode, decode_line, encode
from schemas.decisions import AgentPresence, Assignment
from streams.routing import Merger, Router
from tests.conformance.notation import Expected, MergeStep, Scenario
from tests.conformance.records import SHOP_ID, TOPICS, Record, Until

Output = dict[str, Any]


@dataclass
class Run:
    """What came of a scenario: the outputs in order, and where the shop stands after them."""

    outputs: list[Output] = field(default_factory=list)
    pending: Mapping[str, int] = field(default_factory=dict)
    pool: int = 0
    stats: Any = None


class Decides(Protocol):
    """A router: the product's, or the reference."""

    def apply(self, event: Event) -> Sequence[Assignment | AgentPresence]: ...
    def fire_timers(self, until_ms: int) -> Sequence[Assignment | AgentPresence]: ...
    def shop_pending(self, shop_id: str) -> Mapping[str, int]: ...
    def gauges(self) -> Any: ...
    def take_stats(self) -> Any: ...


def run(scenario: Scenario, router: Decides | None = None) -> Run:
    """Apply the events of a scenario; a record that the codec refuses becomes an output `dead_letter`."""
    router, result = router or Router(), Run()
    steps = _merged(scenario) if scenario.merged else scenario.steps
    for step in steps:
        if isinstance(step, Until):
            decisions = router.fire_timers(step.until_ms)
        else:
            try:
                event = _decoded(step)
            except InvalidEvent as error:
                result.outputs.append({"type": "dead_letter", "dead_letter": error.code, "detail": error.detail})
                continue
            decisions = router.apply(event)
        result.outputs.extend(orjson.loads(encode(decision)) for decision in decisions)
    if scenario.only is not None:
        left_out = "agent_presence" if scenario.only == "assignments" else "assignment"
        result.outputs = [output for output in result.outputs if output["type"] != left_out]
    result.pending = router.shop_pending(SHOP_ID)
    result.pool = router.gauges().message_pool
    result.stats = router.take_stats()
    return result


def _decoded(record: Record) -> Any:
    if record.topic is None:
        assert record.value is not None, "a line always has a value"
        return decode_line(record.value)[1]
    return decode(record.topic, record.value, key=record.key, timestamp_ms=record.timestamp_ms)


def _merged(scenario: Scenario) -> list[Record]:
    """The records of a scenario as O2 orders them, every topic read to its end."""
    merger: Merger[Record] = Merger()
    for step in scenario.steps:
        assert isinstance(step, Record), "a merged scenario has no 'until'"
        assert step.topic is not None, "a merged scenario has no 'line'"
        merger.push(step.topic, _decoded(step).occurred_at_ms, step)
    records = []
    while (head := merger.pop(lambda _: True)) is not None:
        records.append(head[2])
    return records


def merge_problems(steps: tuple[MergeStep, ...]) -> list[str]:
    """What went otherwise than the `pops` of an O2 scenario say."""
    merger: Merger[str] = Merger()
    ended: set[Topic] = set()
    problems = []
    for number, step in enumerate(steps, start=1):
        if step.word == "arrives":
            assert step.topic is not None, "a record arrives on a topic"
            merger.push(step.topic, step.time_ms, step.names[0])
        elif step.word == "ended":
            ended |= {topic for topic in TOPICS if topic in step.names}
        else:
            popped = []
            while (head := merger.pop(ended.__contains__)) is not None:
                popped.append(head[2])
            if popped != list(step.names):
                problems.append(f"step {number}: expected {list(step.names)}, got {popped}")
    return problems


def problems(scenario: Scenario, result: Run) -> list[str]:
    """Every difference between a run and its scenario, as lines of a table; none if it holds."""
    lines = _output_problems(scenario, result.outputs)
    for agent, count in scenario.pending.items():
        if (got := result.pending.get(agent, 0)) != count:
            lines.append(f"pending of {agent}: expected {count}, got {got}")
    if scenario.pool is not None and result.pool != scenario.pool:
        lines.append(f"buyers in the pool: expected {scenario.pool}, got {result.pool}")
    for name, count in scenario.counts.items():
        got = getattr(result.stats, name)
        # The lists are samples of a histogram: their order says nothing.
        if (sorted(got) if isinstance(got, list) else got) != (sorted(count) if isinstance(count, list) else count):
            lines.append(f"counter {name}: expected {count}, got {got}")
    if scenario.fair_over_any_window:
        lines.extend(_unfair(scenario.fair_over_any_window, result.outputs))
    return lines


def _output_problems(scenario: Scenario, outputs: list[Output]) -> list[str]:
    if not scenario.expect_all:
        outputs = _matching(scenario.expect, outputs)
    rows, differs = [], False
    for number in range(max(len(scenario.expect), len(outputs))):
        expected = scenario.expect[number] if number < len(scenario.expect) else None
        output = outputs[number] if number < len(outputs) else None
        differences = _differences(expected, output)
        differs = differs or bool(differences)
        rows.append(f"{'>' if differences else ' '} {number + 1:3} {_brief(output)}")
        rows.extend(f"        {difference}" for difference in differences)
    return rows if differs else []


def _matching(expect: tuple[Expected, ...], outputs: list[Output]) -> list[Output]:
    """The outputs that the expectations stand for, in order, where others may stand between."""
    found: list[Output] = []
    for output in outputs:
        if len(found) < len(expect) and not _differences(expect[len(found)], output):
            found.append(output)
    return found


def _differences(expected: Expected | None, output: Output | None) -> list[str]:
    if expected is None:
        return ["expected no further output"]
    if output is None:
        return [f"expected {dict(expected.fields)}, got nothing"]
    differences = [
        f"{name}: expected {value!r}, got {output.get(name, '(absent)')!r}"
        for name, value in expected.fields.items()
        if name not in output or output[name] != value or isinstance(output[name], bool) != isinstance(value, bool)
    ]
    differences += [f"{name}: expected absent, got {output[name]!r}" for name in expected.absent if name in output]
    trace = iter([tuple(pair) for pair in output.get("trace", [])])
    if expected.trace_has and not all(pair in trace for pair in expected.trace_has):
        differences.append(f"trace: expected {list(expected.trace_has)} in it, got {output.get('trace')}")
    differences += [
        f"detail: expected {word!r} in it, got {output['detail']!r}"
        for word in expected.mentions
        if word not in output.get("detail", "")
    ]
    return differences


def _brief(output: Output | None) -> str:
    match output:
        case None:
            return "(nothing)"
        case {"type": "assignment"}:
            target = output["target"]
            owner = f"{target['kind']} {target['id']}"
            return f"{output['assignment_id']} of {output['buyer_id']} -> {owner} by {output['rule']}"
        case {"type": "agent_presence"}:
            return f"{output['agent_id']} is {output['presence']} since {output['since_ms']} at {output['at_ms']}"
        case _:
            return f"dead letter {output['dead_letter']}: {output['detail']}"


def _unfair(weights: Mapping[str, int], outputs: list[Output]) -> list[str]:
    """S4: |n_i/w_i - n_j/w_j| <= 1/w_i + 1/w_j over any window; in integers, |n_i w_j - n_j w_i| <= w_i + w_j.

    A window's difference is that of two points of the running sum, so the range over all points is enough.
    """
    lines = []
    agents = sorted(weights)
    for left, right in ((left, right) for left in agents for right in agents if left < right):
        running, points = 0, [0]
        for output in outputs:
            taken_by = output["target"]["id"]
            running += weights[right] * (taken_by == left) - weights[left] * (taken_by == right)
            points.append(running)
        drift, bound = max(points) - min(points), weights[left] + weights[right]
        if drift > bound:
            lines.append(f"{left} and {right} drift {drift} apart, more than {bound}")
    return lines
