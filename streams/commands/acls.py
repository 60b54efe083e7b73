"""`fenliu acls`: which rights each role needs, as commands that grant them or as JSON."""

import click

from streams.access import ABOUT, EXAMPLE_GROUP, ROLES, Right, Role, commands, rights
from streams.commands.output import json_option, load_settings, write_json


@click.command()
@click.argument("role", nargs=-1, type=click.Choice(ROLES))
@click.option(
    "--principal",
    metavar="TYPE:NAME",
    help="Who gets the rights, as the brokers call it.  [default: User:fenliu-ROLE]",
)
@click.option(
    "--group",
    metavar="GROUP",
    default=EXAMPLE_GROUP,
    show_default=True,
    help="The consumer group of the role consumer.",
)
@json_option
def acls(role: tuple[Role, ...], principal: str | None, group: str, as_json: bool) -> None:
    """Print the rights that each ROLE (default: all) needs, as kafka-acls.sh commands, and nothing beyond them.

    They are for the names that FENLIU_TOPIC_PREFIX and FENLIU_APP_ID make. No broker is asked, nothing is changed.
    """
    if principal is not None and ":" not in principal:
        raise click.BadParameter("write it as the brokers do, as in User:fenliu", param_hint="--principal")
    settings = load_settings()
    wanted = {each: rights(settings, each, group=group) for each in ROLES if not role or each in role}
    if as_json:
        write_json({each: [_as_json(right) for right in of] for each, of in wanted.items()})
        return
    for each, of in wanted.items():
        click.echo(f"# {each}: {ABOUT[each]}")
        for line in commands(of, principal or f"User:fenliu-{each}"):
            click.echo(line)


def _as_json(right: Right) -> dict[str, str]:
    return {"resource": right.resource, "pattern": right.pattern, "name": right.name, "operation": right.operation}
