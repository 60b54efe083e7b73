"""Why a document was refused (rules, section 9). It never holds any of the document's own text."""

from typing import Literal

Code = Literal[
    "not_json", "not_utf8", "too_large", "too_deep", "schema", "config", "key_mismatch", "wrong_partition",
    "clock_skew",
]  # fmt: skip


class InvalidEvent(Exception):  # noqa: N818 - the name of the contract: it says what is invalid
    """A record, a line or a shop's settings that cannot be used.

    Attributes:
        code: one of the codes of section 9.
        detail: where, and what was expected there: `$.groups[1].agent_ids[0]: expected …`. Never the document's text.
        path: the place alone (`$` is the whole document), for those who can show the line; empty where there is none.
    """

    def __init__(self, code: Code, detail: str, *, path: str = "") -> None:
        super().__init__(code, detail)
        self.code: Code = code
        self.detail = detail
        self.path = path

    @classmethod
    def at(cls, path: str, expected: str, *, code: Code = "schema") -> "InvalidEvent":
        """The document has something else at `path` than what was `expected`."""
        return cls(code, f"{path}: expected {expected}", path=path)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"
