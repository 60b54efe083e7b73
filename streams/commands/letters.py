"""How `fenliu dlq` writes letters, and what became of them: lines for people, JSON for programs."""

import click

from streams.commands.instants import in_words
from streams.commands.output import write_json
from streams.redrive.letters import Contents, Letter
from streams.redrive.mended import text_or_base64
from streams.redrive.plan import REASONS, Outcome

_WORDS = {
    "already_sent": "sent back before",
    "came_back": "sent back before and refused again: name them, or send them mended",
    "cut": "cut, so that they cannot be sent: publish them anew",
    "gone": "gone meanwhile",
    "newer_settings": "settings of shops that have newer ones: --replace-newer SHOP",
    "still_refused": "would be refused again: mend them (--from)",
    "unknown_topic": "from a topic that is no input here",
}


def write_line(letter: Letter, contents: Contents, payload: dict[str, object] | None) -> None:
    """A letter as a line of JSON; `payload` is its value and headers, if they are wanted."""
    told: dict[str, object] = {
        "id": str(letter.id),
        "refused_at_ms": letter.refused_at_ms,
        "code": letter.code,
        "detail": letter.detail,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "timestamp_ms": letter.timestamp_ms,
        **text_or_base64("key", letter.key),
        "cut": sorted(letter.cut),
        "sent": letter.id in contents.redriven,
        "came_back_from": letter.returned or None,
    }
    write_json(told | (payload or {}), indent=False)


def write_block(letter: Letter, contents: Contents, payload: dict[str, object] | None) -> None:
    """A letter as two lines for people, and its payload as a third."""
    notes = ["sent back"] * (letter.id in contents.redriven)
    notes += [f"came back, was {letter.returned}"] * bool(letter.returned)
    notes += [f"cut: {', '.join(sorted(letter.cut))}"] * bool(letter.cut)
    click.echo(
        f"{letter.id!s:>10}  {in_words(letter.refused_at_ms)}  {letter.code}  {printable(letter.topic)}/"
        f"{letter.partition}/{letter.offset}  {printable(letter.shop)}" + "".join(f"  ({note})" for note in notes)
    )
    click.echo(f"{'':12}{printable(letter.detail)}")
    if payload is not None:
        write_json(payload, indent=False)


def write_outcome(outcome: Outcome, *, dry_run: bool) -> None:
    """What was sent and what was not, for people."""
    if dry_run:
        for each in outcome.sent:
            how = "mended" if each.mended else "unchanged"
            click.echo(f"{each.letter!s:>10}  to {each.topic}/{each.partition}  {_key(each.key)}  {how}")
    for out in outcome.findings:
        click.echo(f"{out.letter!s:>10}  left out: {printable(out.detail)}")
    click.echo(f"{len(outcome.sent)} {'would be sent' if dry_run else 'sent'} back")
    for reason in REASONS:
        if count := outcome.count(reason):
            click.echo(f"{count} left out: {_WORDS[reason]}")


def write_outcome_as_json(outcome: Outcome, *, dry_run: bool) -> None:
    """The same for programs."""
    write_json(
        {
            "dry_run": dry_run,
            "sent": [
                {"id": str(each.letter), "topic": each.topic, "partition": each.partition, "mended": each.mended}
                | text_or_base64("key", each.key)
                for each in outcome.sent
            ],
            "left_out": [
                {"id": str(each.letter), "reason": each.reason, "detail": each.detail} for each in outcome.left_out
            ],
        }
    )


def _key(key: bytes | None) -> str:
    return "no key" if key is None else printable(key.decode(errors="replace"))


def printable(text: str) -> str:
    """Text that changes nothing on a terminal."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
