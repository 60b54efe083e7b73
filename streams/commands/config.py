"""`fenliu config`: shop settings from YAML to the topic shop-configs, and back."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import click

from streams import shop_configs
from streams.commands.output import json_option, load_settings, show_warnings, write_json
from streams.errors import ExitCode
from streams.shop_configs import Stored
from streams.shops_file import read_shops, usable_shops
from streams.yaml_source import dump_yaml

_file_argument = click.argument("file", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE")


@click.group()
def config() -> None:
    """Check the settings of shops, push them to Kafka, or get those in force.

    FILE is YAML, a list of shop_config objects: each has a shop_id and the settings that differ from the defaults.
    `reset: true` instead of settings returns a shop to the defaults. `-` is standard input. All settings of a shop are
    replaced at once: what its entry does not name has its default.
    """


@config.command()
@_file_argument
@json_option
def check(file: Path, as_json: bool) -> int:
    """Say what is wrong with FILE, with line and path. Nothing is sent.

    Exit code 1 says that there are findings; names that no setting has are among them.
    """
    found = read_shops(file)
    if as_json:
        write_json({"shops": len(found.shops), "errors": found.errors, "warnings": found.warnings})
    else:
        for line in (*found.errors, *found.warnings):
            click.echo(line)
        if not (found.errors or found.warnings):
            click.echo(f"{found.name}: {len(found.shops)} shop{'s' * (len(found.shops) != 1)}, nothing to mend")
    return ExitCode.FINDINGS if found.errors or found.warnings else ExitCode.DONE


@config.command()
@_file_argument
@json_option
def push(file: Path, as_json: bool) -> None:
    """Send the settings in FILE to shop-configs and wait until the brokers have them.

    They take effect for the events after them. If one entry cannot be used, nothing is sent (exit code 2).
    """
    settings = load_settings()
    found = usable_shops(file)
    show_warnings(found.warnings)
    stored = asyncio.run(shop_configs.push(settings, found.shops))
    if as_json:
        write_json([_as_json(each) for each in stored])
        return
    for each in stored:
        click.echo(f"{each.change.shop_id}: {each.change.version}, partition {each.partition}, offset {each.offset}")


@config.command()
@click.argument("shop")
@json_option
def get(shop: str, as_json: bool) -> int:
    """Print the settings in force for SHOP, as YAML that `push` takes.

    Exit code 1 says that the shop has none (all are at their defaults), or that a newer record was refused.
    """
    found, refused = asyncio.run(shop_configs.newest(load_settings(), shop))
    for line in refused:
        click.echo(f"fenliu: a newer record is refused, and the shop keeps what it has: {line}", err=True)
    if as_json:
        write_json(None if found is None else _as_json(found))
    elif found is None:
        click.echo(f"fenliu: {shop} has no settings: all are at their defaults", err=True)
    else:
        at = datetime.fromtimestamp(found.change.occurred_at_ms / 1000, UTC).isoformat(timespec="milliseconds")
        click.echo(
            f"# config_version {found.change.version}, of {at}, partition {found.partition}, offset {found.offset}"
        )
        click.echo(dump_yaml([shop_configs.document(found.change)]), nl=False)
    return ExitCode.FINDINGS if refused or found is None else ExitCode.DONE


def _as_json(stored: Stored) -> dict[str, object]:
    return {
        "config_version": stored.change.version,
        "occurred_at_ms": stored.change.occurred_at_ms,
        "partition": stored.partition,
        "offset": stored.offset,
        "timestamp_ms": stored.timestamp_ms,
        "shop_config": shop_configs.document(stored.change),
    }
