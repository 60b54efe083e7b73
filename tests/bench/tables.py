"""Figures as tables: for a terminal, and for docs/performance.md between its two marks."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from tests.bench.harness import ROOT, BenchResult, Figure, Report, number

DOCUMENT = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
HEADER = ("what", "median", "middle half", "unit", "goal")


def as_text(result: BenchResult) -> str:
    """One bench as aligned columns."""
    rows = [HEADER, *(_row(figure) for figure in result.figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([result.title, *(f"  {line}" for line in lines)])


def as_markdown(report: Report, before: Report | None = None) -> str:
    """All benches of a run, after the machine and versions that they were measured with.

    Args:
        report: the run.
        before: the run above it on the page: only what is different about the machine and the versions is said.
    """
    known = {} if before is None else before.environment
    lines = [f"Measured {report.date} with `{report.command}`{', on the same machine' if known else ''}.", ""]
    told = report.environment.items() - known.items()
    lines += [
        f"- {name.replace('_', ' ')}: {value}" for name, value in report.environment.items() if (name, value) in told
    ]
    for result in report.results:
        lines += ["", f"### {result.title} (`{result.name}`)", ""]
        lines += [_markdown_row(HEADER), "|---|---:|---:|---|---|"]
        lines += [_markdown_row(_row(figure)) for figure in result.figures]
    return "\n".join(lines)


def update_document(reports: Sequence[Report], document: Path = DOCUMENT) -> None:
    """Put the tables of some runs in place of those that the document has."""
    before, _, rest = document.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    assert end, f"{document} lacks the marks {BEGIN} and {END}"
    text = "\n\n".join(as_markdown(report, before) for before, report in pairwise((None, *reports)) if report)
    document.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def _markdown_row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(figure: Figure) -> tuple[str, ...]:
    low, high = figure.quartiles
    spread = f"{number(low)} to {number(high)}" if len(figure.values) > 1 else "measured once"
    goal = "" if figure.goal is None else f"{figure.goal} {'met' if figure.goal.met_by(figure.median) else 'MISSED'}"
    return figure.what, number(figure.median), spread, figure.unit, goal
