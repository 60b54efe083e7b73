"""`fenliu completion`: the script that makes a shell complete commands and options."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")

VARIABLE = "_FENLIU_COMPLETE"
"""By it the script asks the command what may come next; click makes the name of the program's."""


# Not a docstring: click wants a backspace before lines that it is not to wrap, and a docstring should hold none.
_HELP = """Print the script that makes SHELL (bash, zsh or fish) complete commands, options and their values.

\b
bash  eval "$(fenliu completion bash)"        in ~/.bashrc
zsh   eval "$(fenliu completion zsh)"         in ~/.zshrc
fish  fenliu completion fish | source         in ~/.config/fish/config.fish
"""


@click.command(help=_HELP)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script of a shell."""
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101  click knows the three
    script = kind(ctx.find_root().command, {}, "fenliu", VARIABLE)
    # Not `source()`: for bash it asks which bash is first on the path, which need not be the one that reads this.
    click.echo(script.source_template % script.source_vars())
