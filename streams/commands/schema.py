"""`fenliu schema`: the JSON Schemas of the contract."""

import click

from schemas.catalog import NAMES, load
from streams.commands.output import json_option, write_json
from streams.errors import UsageError


@click.command()
@click.argument("name", required=False)
@json_option
def schema(name: str | None, as_json: bool) -> None:
    """Print the JSON Schema (2020-12) of a record by NAME, or list the names with what they are for.

    A record's `type` is the name of its schema; `dead_letter` is the headers of one.
    """
    if name is not None:
        if name not in NAMES:
            raise UsageError(f"there is no schema {name!r}", mend=f"fenliu schema, then one of {', '.join(NAMES)}")
        write_json(load(name))
        return
    purposes = {each: str(load(each).get("description", "")) for each in NAMES}
    if as_json:
        write_json(purposes)
        return
    for each, purpose in purposes.items():
        click.echo(f"{each:16}{purpose}")
