"""Tables for people: what there is of something, and how much of each."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text


def facts(title: str, rows: Sequence[tuple[str, str]]) -> Table:
    """A name and what there is to say about it, line by line."""
    table = _bare(title)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, said in rows:
        table.add_row(name, Text(said))  # what is said may hold ids, and an id may look like markup
    return table


def counts(title: str, rows: Sequence[tuple[str, str, int]]) -> Table:
    """A name, its Chinese term (or nothing), how many, and which share of all that is."""
    table = _bare(title)
    total = sum(count for *_, count in rows) or 1
    table.add_column(no_wrap=True, min_width=24)
    if any(term for _, term, _ in rows):
        table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True, style="dim")
    table.add_column(overflow="crop")  # of a narrow terminal the bars give way
    for name, term, count in rows:
        cells = [name, term] if len(table.columns) == 5 else [name]
        bar = Text("━" * max(1, round(30 * count / total)), style="cyan")
        table.add_row(*cells, f"{count:,}", f"{100 * count / total:.1f} %", bar)
    return table


def _bare(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 2),
        show_header=False,
    )
