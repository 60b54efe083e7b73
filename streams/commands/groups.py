"""A group of commands that guesses which one was meant."""

import click

from streams.names import do_you_mean


class GuessingGroup(click.Group):
    """A group whose complaint about a command that it does not have names the nearest of those that it has."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command.

        Raises:
            UsageError: if there is none of this name; with the one that may have been meant.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as exc:
            if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
                exc.message = exc.message.rstrip(".") + (do_you_mean(args[0], self.list_commands(ctx)) or ".")
            raise
