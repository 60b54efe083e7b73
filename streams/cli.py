"""The `fenliu` command: which commands there are, and how every one of them ends.

A command's module is imported when the command is called and not before, so that `fenliu schema` does not wait for
Faust. It must not know what any command does.
"""

import importlib
import os
import platform
import sys
import traceback
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

import click
from click.shell_completion import CompletionItem

from streams import __version__
from streams.errors import ExitCode, FenliuError


class Entry(NamedTuple):
    """Where a command is found, and its line in `fenliu --help`, which is shown without importing it."""

    module: str
    function: str
    short_help: str


COMMANDS: dict[str, Entry] = {
    "worker": Entry("streams.commands.worker", "worker", "Run one worker in the foreground."),
    "topics": Entry("streams.commands.topics", "topics", "Create the declared topics, or compare them."),
    "check": Entry("streams.commands.check", "check", "Check settings, broker, topics, group and schemas."),
    "state": Entry("streams.commands.state", "state", "Verify the state of a group, or rebuild it."),
    "acls": Entry("streams.commands.acls", "acls", "Print the rights (ACLs) that each role needs."),
    "config": Entry("streams.commands.config", "config", "Check, push or get the settings of shops."),
    "schema": Entry("streams.commands.schema", "schema", "Print the JSON Schema of an event, or the list."),
    "simulate": Entry("streams.commands.simulate", "simulate", "Make believable traffic, to a file or to Kafka."),
    "replay": Entry("streams.commands.replay", "replay", "Route the events of files, without Kafka."),
    "tail": Entry("streams.commands.tail", "tail", "Follow assignments, presence or dead letters."),
    "dlq": Entry("streams.commands.dlq", "dlq", "Count, show and send back dead letters."),
    "completion": Entry("streams.commands.completion", "completion", "Print a shell's script for completion."),
    "plan": Entry("streams.commands.plan", "plan", "Size a cluster for a peak, from measured costs."),
    "demo": Entry("streams.commands.demo", "demo", "Show everything once on an embedded broker."),
}


class LazyGroup(click.Group):
    """A group that imports a command when it is called, and turns every way to end into its exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names, in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command.

        Raises:
            FenliuError: if the command is declared, but its module is not installed.
        """
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        try:
            module = importlib.import_module(entry.module)
        except ModuleNotFoundError as exc:
            if exc.name != entry.module:
                raise
            raise FenliuError(
                f"this installation has no `fenliu {cmd_name}`: the module {entry.module} is missing",
                mend="install fenliu anew",
            ) from None
        command = getattr(module, entry.function)
        assert isinstance(command, click.Command)  # noqa: S101  a slip in COMMANDS, which a test finds
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """What may come next, from COMMANDS alone: whoever presses Tab does not wait for Faust."""
        names = [name for name in COMMANDS if name.startswith(incomplete)]
        commands = [CompletionItem(name, help=COMMANDS[name].short_help) for name in names]
        return commands + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands from COMMANDS alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.short_help) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader of our output that goes away (`fenliu tail | head`) ends it quietly."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # Python flushes standard output once more at its end, and would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(ExitCode.DONE) from None
        return result

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line and leave with an exit code of docs/reference/exit-codes.md."""
        if os.environ.get("NO_COLOR"):
            extra.setdefault("color", False)
        try:
            result = super().main(*args, **{**extra, "standalone_mode": False})
        except Exception as exc:  # noqa: BLE001  the last place to tell somebody about it
            _report(exc)
        sys.exit(result if isinstance(result, int) else ExitCode.DONE)


def _report(exc: Exception) -> NoReturn:
    """Say on standard error what went wrong, and leave with its exit code."""
    for cause in _causes(exc):
        if isinstance(cause, click.exceptions.Abort):
            sys.exit(ExitCode.INTERRUPTED)
        if isinstance(cause, click.ClickException):
            cause.show()
            sys.exit(ExitCode.USAGE)
        if isinstance(cause, FenliuError):
            click.echo(f"fenliu: {cause}", err=True)
            sys.exit(cause.exit_code)
    click.echo("".join(traceback.format_exception(exc)), err=True, nl=False)
    click.echo(
        f"fenliu: this is a defect of fenliu, not of what you did: {type(exc).__name__}\n"
        "  to mend it: report the lines above (take out what is private), together with the command and\n"
        f"  fenliu {__version__}, Python {platform.python_version()}, {platform.platform()}",
        err=True,
    )
    sys.exit(ExitCode.DEFECT)


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """The error itself; of a task group's error those that are in it."""
    if isinstance(exc, BaseExceptionGroup):
        for inner in exc.exceptions:
            yield from _causes(inner)
    else:
        yield exc


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Settings are FENLIU_* environment variables; `fenliu check` shows them. Results go to standard output, "
    "logs to standard error. Exit codes: 0 done, 1 done with findings, 2 wrong use, 3 fenced by a successor, "
    "70 a defect of fenliu, 75 the brokers cannot be reached or are not ready, 78 the cluster is not as declared.",
)
@click.version_option(__version__, "-V", "--version", prog_name="fenliu", message="%(prog)s %(version)s")
def main() -> None:
    """Customer-service routing (客服分流) for Taobao and Pinduoduo shops, on Kafka.

    Buyer messages, agent status and replies come in, assignments go out: who must answer each message, and why.
    """
