"""A command that ends as it is told, and a module whose import fails: for the tests of how commands end."""

import click

from streams.errors import (
    BrokerUnreachableError,
    ClusterError,
    FencedError,
    FenliuError,
    FoundError,
    SettingsError,
    UsageError,
)

ERRORS: dict[str, type[FenliuError]] = {
    error.__name__: error
    for error in (FoundError, UsageError, SettingsError, FencedError, BrokerUnreachableError, ClusterError, FenliuError)
}


@click.command()
@click.argument("how")
def ends(how: str) -> int:
    """End in a certain way."""
    if how in ERRORS:
        raise ERRORS[how]("the clock is wrong", where="hall.yaml:3", mend="wind it up")
    if how == "group":
        raise ExceptionGroup("two tasks", [FencedError("fenced"), ValueError("after it")])
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "defect":
        raise KeyError("agent-1")
    return int(how)
