"""What a file of events is if it is not JSON Lines in UTF-8, told by its first bytes: one sentence for the whole file.

Without it every line of such a file would be refused for itself, and none of them would say why.
"""

import json
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE

from streams.errors import UsageError

GZIP = b"\x1f\x8b"
"""How every gzipped file begins, whatever its name is."""

HEAD_BYTES = 1 << 16
"""So much of a file is looked at: more than an event has, pretty-printed or not."""

_UNICODE = (
    (BOM_UTF32_LE, "UTF-32"),  # before UTF-16, of which it is a continuation
    (BOM_UTF32_BE, "UTF-32"),
    (BOM_UTF16_LE, "UTF-16"),
    (BOM_UTF16_BE, "UTF-16"),
    (b"{\0\0\0", "UTF-32LE"),
    (b"{\0", "UTF-16LE"),
    (b"\0{", "UTF-16BE"),
)
_PACKED = (
    (b"PK\x03\x04", "a zip archive, as .xlsx is too", "unzip -p"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", "zstd -dc"),
    (b"\xfd7zXZ\0", "packed with xz", "xz -dc"),
    (b"BZh", "packed with bzip2", "bzip2 -dc"),
)


def refuse_other_forms(head: bytes, name: str) -> None:
    """Look at how a file begins, unpacked.

    Raises:
        UsageError: it is of another form, and no line of it could be used; the error says which, and how to mend it.
    """
    for mark, form, command in _PACKED:
        if head.startswith(mark):
            raise _other(name, f"it is {form}", f"give it unpacked: {command} FILE | fenliu replay -")
    for mark, encoding in _UNICODE:
        if head.startswith(mark):
            raise _other(
                name,
                f"it is {encoding}, and events are UTF-8",
                f"save it as UTF-8: iconv -f {encoding} -t UTF-8 FILE > EVENTS.jsonl, or in PowerShell "
                "Out-File -Encoding utf8",
            )
    text = head.removeprefix(BOM_UTF8).lstrip()
    if text[:1] == b"[" and text[1:].lstrip()[:1] == b"{":
        raise _other(name, "it is one JSON array, and events are one object a line", "jq -c '.[]' FILE > EVENTS.jsonl")
    if _over_several_lines(text):
        raise _other(
            name, "its JSON is spread over several lines, and events are one object a line",
            "jq -c . FILE > EVENTS.jsonl",
        )  # fmt: skip


def not_gzipped(name: str) -> UsageError:
    """A file whose name says that it is packed, and which is not."""
    return _other(name, "its name ends in .gz, and it is not gzipped", "give it a name without .gz")


def cut(name: str) -> UsageError:
    """A gzipped file that ends too early."""
    return _other(
        name,
        "it is gzipped and its end is missing: the copy was cut off, or is still being written",
        "copy it again; what there is of it: gzip -dc FILE 2>/dev/null | fenliu replay -",
    )


def damaged(name: str) -> UsageError:
    """A gzipped file that does not unpack to what was packed."""
    return _other(name, "it is gzipped and damaged", "copy it again; gzip -t FILE says whether it is whole")


def _other(name: str, what: str, mend: str) -> UsageError:
    return UsageError(f"cannot be read: {what}", where=name, mend=mend)


def _over_several_lines(text: bytes) -> bool:
    """Whether the first JSON object goes on where its line ends."""
    if text[:1] != b"{":
        return False
    shown = text.decode(errors="replace")
    try:
        _, end = json.JSONDecoder().raw_decode(shown)
    except (ValueError, RecursionError):
        return False  # broken, or longer than an event may be: its lines say so, each for itself
    return "\n" in shown[:end]
