"""`fenliu state`: whether state, checkpoint records and offsets agree, and making them agree again."""

import asyncio
import textwrap
from collections.abc import Mapping
from dataclasses import asdict

import click

from schemas.codec import Topic
from streams.commands.groups import GuessingGroup
from streams.commands.output import json_option, load_settings, write_json
from streams.errors import ExitCode, UsageError
from streams.group import require_no_workers
from streams.lane.errors import shown_offsets
from streams.settings import Settings
from streams.topics import require_topics
from streams.upkeep.positions import parse_positions
from streams.upkeep.rebuild import Plan, Rebuild, Rebuilt
from streams.upkeep.verify import PartitionState, count_of_partitions
from streams.upkeep.verify import verify as verify_partition

partition_option = click.option(
    "--partition", "wanted", type=click.IntRange(0), multiple=True, metavar="N", help="Only this one; may be repeated."
)


@click.group(cls=GuessingGroup)
def state() -> None:
    """Look at the state of a group, or mend it.

    State is in the changelogs. With it belong a checkpoint record for each partition and the offsets that the group has
    committed; a worker that finds them apart refuses the partition and exits with 78.
    """


@state.command()
@partition_option
@json_option
def verify(wanted: tuple[int, ...], as_json: bool) -> int:
    """Restore each partition as a worker would, and say whether it could go on: a line each, or what differs.

    It writes nothing and disturbs nobody. A partition that is being routed may have to be looked at again (?).

    Exit code 1 says that there are findings.
    """
    settings = load_settings()

    async def run() -> list[PartitionState]:
        await require_topics(settings)
        count = await count_of_partitions(settings)
        states = []
        for number in _numbers(wanted, count):
            states.append(await verify_partition(settings, number, partition_count=count))
            if not as_json:
                _write_state(states[-1])
        return states

    states = asyncio.run(run())
    if as_json:
        write_json({"ok": all(each.ok for each in states), "partitions": [_state_as_json(each) for each in states]})
    return ExitCode.DONE if all(each.ok for each in states) else ExitCode.FINDINGS


@state.command()
@click.option("--from-inputs", "source", flag_value="inputs", help="Route the inputs again from their beginning.")
@click.option("--from-changelogs", "source", flag_value="changelogs", help="Keep what the changelogs hold.")
@click.option(
    "--positions",
    multiple=True,
    metavar="[TOPIC=]WHERE",
    help="Where workers read on: committed, checkpoint, beginning or end; for one input only, TOPIC=WHERE.  "
    "[default: committed with --from-inputs, checkpoint with --from-changelogs]",
)
@click.option("--accept-missing-history", is_flag=True, help="Go on although records that made the state are gone.")
@click.option("--dry-run", is_flag=True, help="Show what would be written.")
@partition_option
@json_option
def rebuild(
    source: str | None,
    positions: tuple[str, ...],
    accept_missing_history: bool,
    dry_run: bool,
    wanted: tuple[int, ...],
    as_json: bool,
) -> int:
    """Make state, checkpoint records and offsets agree again. All workers must be stopped.

    With --from-inputs nothing is published: the inputs are routed again up to where the group has committed, and what
    comes of it is the state. With --from-changelogs the state stays, and the group reads on where you say.
    """
    settings = load_settings()
    if source is None:
        raise UsageError("say where the state comes from", mend="--from-inputs or --from-changelogs")
    from_inputs = source == "inputs"
    plan = Plan(
        source="inputs" if from_inputs else "changelogs",
        positions=parse_positions(settings, positions, "committed" if from_inputs else "checkpoint"),
        accept_missing=accept_missing_history,
        dry_run=dry_run,
    )
    done = asyncio.run(_rebuild(settings, plan, wanted, show=not as_json))
    if as_json:
        write_json({"dry_run": dry_run, "partitions": [asdict(each) for each in done]})
    return ExitCode.DONE


async def _rebuild(settings: Settings, plan: Plan, wanted: tuple[int, ...], *, show: bool) -> list[Rebuilt]:
    """Whatever would be refused is refused before the first partition is written."""
    await require_topics(settings)
    await require_no_workers(settings)
    count = await count_of_partitions(settings)
    rebuilds = [Rebuild(settings, plan, number, partition_count=count) for number in _numbers(wanted, count)]
    for each in rebuilds:
        await each.survey()
    done = []
    for each in rebuilds:
        done.append(await each.run())
        if show:
            _write_rebuilt(done[-1], dry_run=plan.dry_run)
    return done


def _numbers(wanted: tuple[int, ...], count: int) -> list[int]:
    beyond = [number for number in wanted if number >= count]
    if beyond:
        raise UsageError(f"--partition {beyond[0]}: there are {count}, 0 to {count - 1}")
    return sorted(set(wanted)) or list(range(count))


def _state_as_json(state: PartitionState) -> dict[str, object]:
    return {
        "partition": state.partition,
        "ok": None if state.cannot_tell else state.ok,
        "format": state.format,
        "keys": state.keys,
        "offsets": state.offsets,
        "findings": [finding._asdict() for finding in state.findings],
    }


def _write_state(state: PartitionState) -> None:
    if state.cannot_tell:
        mark, told = click.style("?   ", fg="yellow"), "it is being routed: stop the workers, or try again"
    elif state.findings:
        mark, told = click.style("MEND", fg="red", bold=True), ""
    else:
        mark, told = click.style("ok  ", fg="green"), f"{sum(state.keys.values())} keys; {_read_on(state.offsets)}"
    click.echo(f"{mark}  partition {state.partition:<3} {told}".rstrip())
    if not state.cannot_tell:
        for finding in state.findings:
            click.echo(textwrap.indent(str(finding), " " * 8))


def _read_on(offsets: Mapping[Topic, int | None] | Mapping[Topic, int]) -> str:
    if all(offset is None for offset in offsets.values()):
        return "nothing committed"
    return f"read on at {shown_offsets(offsets)}"


def _write_rebuilt(rebuilt: Rebuilt, *, dry_run: bool) -> None:
    if rebuilt.untouched:
        click.echo(f"partition {rebuilt.partition:<3} was never routed: nothing to do")
        return
    would = "would be " if dry_run else ""
    click.echo(
        f"partition {rebuilt.partition:<3} {rebuilt.events} records routed again, {rebuilt.written} keys {would}"
        f"written, {rebuilt.deleted} {would}deleted, {rebuilt.kept} right already; "
        f"{'would ' if dry_run else ''}{_read_on(rebuilt.offsets)}"
    )
