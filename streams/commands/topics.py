"""`fenliu topics`: the declared topics, made and compared."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict

import click

from streams.commands.groups import GuessingGroup
from streams.commands.output import json_option, load_settings, write_json
from streams.errors import ExitCode
from streams.topic_findings import Finding, in_words
from streams.topics import DEFAULT_PARTITIONS, DEFAULT_REPLICATION, Creation, check_topics, declared
from streams.topics import create as create_topics


@click.group(cls=GuessingGroup)
def topics() -> None:
    """Create the declared topics, or compare the cluster's with what is declared.

    These are four inputs, the outputs, dead-letters, and one changelog for each table. Their names begin with
    FENLIU_TOPIC_PREFIX; the changelogs are those of FENLIU_APP_ID.
    """


@topics.command()
@click.option(
    "--partitions",
    type=click.IntRange(1, 10_000),
    metavar="N",
    help=f"Partitions of each topic: the most workers that can share the work. It cannot be changed later.  "
    f"[default: {DEFAULT_PARTITIONS}, or as many as the topics have that are there]",
)
@click.option(
    "--replication",
    type=click.IntRange(1, 32),
    metavar="N",
    default=DEFAULT_REPLICATION,
    show_default=True,
    help="Copies of each partition; 1 for trials on a single broker.",
)
@json_option
def create(partitions: int | None, replication: int, as_json: bool) -> int:
    """Create the topics that are missing; never change what is there.

    Exit code 1 says that topics which were there already are not as declared.
    """
    settings = load_settings()

    async def run() -> tuple[Creation, list[Finding]]:
        done = await create_topics(settings, partitions=partitions, replication=replication)
        # What was made just now is as declared, and some brokers may not know it yet.
        findings = await check_topics(settings) if done.existing else []
        return done, [finding for finding in findings if finding.topic in done.existing]

    done, findings = asyncio.run(run())
    if as_json:
        write_json({**asdict(done), "findings": [asdict(finding) for finding in findings]})
    else:
        for verb, counts in (("created", done.created), ("exists", done.existing)):
            for name, count in counts.items():
                click.echo(f"{verb:8} {name}, {count} partition{'s' * (count != 1)}")
        _write_findings(findings)
    if partitions is not None and set(done.existing.values()) - {partitions}:
        click.echo("fenliu: partitions of topics that exist are never changed", err=True)
    return _exit_code(findings)


@topics.command()
@json_option
def check(as_json: bool) -> int:
    """Compare the topics with what is declared: they exist, partitions, copies, cleanup policy, sizes.

    Exit code 1 says that there are findings. A worker starts with warnings, not with errors.
    """
    settings = load_settings()
    findings = asyncio.run(check_topics(settings))
    if as_json:
        write_json({"ok": not findings, "findings": [asdict(finding) for finding in findings]})
    elif findings:
        _write_findings(findings)
    else:
        click.echo(f"{len(declared(settings))} topics are as declared")
    return _exit_code(findings)


def _write_findings(findings: Sequence[Finding]) -> None:
    for severity in ("error", "warning"):
        for problem in in_words([finding for finding in findings if finding.severity == severity]):
            click.echo(f"{severity:8} {problem}")


def _exit_code(findings: Sequence[Finding]) -> int:
    return ExitCode.FINDINGS if findings else ExitCode.DONE
