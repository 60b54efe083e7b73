"""What the commands share: settings, logs on standard error, results on standard output."""

import sys
from collections.abc import Iterable

import click
import orjson

from streams import logs
from streams.settings import Settings

json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON, for programs.")


def load_settings() -> Settings:
    """Read the FENLIU_* environment and set up logs as it says; of clients a command shows warnings only.

    Raises:
        SettingsError: naming the variable that cannot be used.
    """
    settings = Settings.load()
    logs.configure(settings.log_format, "warning" if settings.log_level == "info" else settings.log_level)
    return settings


def show_warnings(warnings: Iterable[str]) -> None:
    """Say on standard error what is no error and hardly meant so."""
    for warning in warnings:
        click.echo(f"fenliu: {warning}", err=True)


def write_json(value: object, *, indent: bool = True) -> None:
    """One JSON document, indented, or on a line of its own."""
    option = orjson.OPT_APPEND_NEWLINE | (orjson.OPT_INDENT_2 if indent else 0)
    write_bytes(orjson.dumps(value, option=option))


def write_bytes(content: bytes) -> None:
    """Bytes to standard output, now: a reader of a pipe waits for them."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
