"""`fenliu check`: whether it can run here, a line for each thing that it needs."""

import asyncio
import textwrap
from collections.abc import Sequence

import click

from streams.checks import Check, check_all
from streams.commands.output import json_option, load_settings, write_json
from streams.errors import ExitCode


@click.command()
@click.option(
    "-v", "--verbose", is_flag=True, help="Show every setting, not only those that are not at their defaults."
)
@json_option
def check(verbose: bool, as_json: bool) -> int:
    """Check settings, broker, topics, consumer group and schemas: a line each, ok or how to mend it.

    What is to be mended comes first. Exit code 1 says that there are findings, 75 that no broker can be reached.
    """
    checks, unreachable = asyncio.run(check_all(load_settings()))
    if as_json:
        write_json({"ok": all(each.ok for each in checks), "checks": [_as_json(each) for each in checks]})
    else:
        _write(checks, verbose=verbose)
    if unreachable is not None:
        return ExitCode.BROKER
    return ExitCode.DONE if all(each.ok for each in checks) else ExitCode.FINDINGS


def _as_json(check: Check) -> dict[str, object]:
    return {
        "name": check.name,
        "ok": None if check.cannot_tell else check.ok,
        "summary": check.summary,
        "findings": [finding._asdict() for finding in check.findings],
        "told": dict(check.told),
    }


def _write(checks: Sequence[Check], *, verbose: bool) -> None:
    for each in sorted(checks, key=lambda each: (each.ok, each.cannot_tell)):
        click.echo(f"{_mark(each)}  {each.name:9} {each.summary}")
        for finding in each.findings:
            click.echo(textwrap.indent(str(finding), " " * 8))
        if each.name == "settings":
            for name, value in each.told.items():
                if verbose or name not in each.usual:
                    click.echo(f"        {name:36} {value or '-'}")


def _mark(check: Check) -> str:
    if check.cannot_tell:
        return click.style("?   ", fg="yellow")
    return click.style("ok  ", fg="green") if check.ok else click.style("MEND", fg="red", bold=True)
