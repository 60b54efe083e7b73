"""The places of a document that hold no others: flags, choices, numbers, times, strings, ids."""

import re
from dataclasses import dataclass
from typing import Any, Protocol

from schemas import times

_CONTROL = re.compile(r"[\u0000-\u001f\u007f-\u009f]")


class Mismatch(Exception):  # noqa: N818 - never seen outside: it becomes an InvalidEvent
    """Something else stands at `path` than what was `expected`."""

    def __init__(self, path: str, expected: str) -> None:
        super().__init__(path, expected)
        self.path = path
        self.expected = expected


class Part(Protocol):
    """One place of a document, compiled from its type."""

    @property
    def expected(self) -> str:
        """What may stand here, in words."""

    def read(self, value: object, path: str) -> object:
        """The value as `msgspec.convert` takes it; raises Mismatch."""

    def known(self, value: Any) -> object:
        """Of a value that reads: the value as it was given, without its unknown fields (F9)."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """What has no parts."""

    expected: str

    def known(self, value: object) -> object:
        """As Part says."""
        return value


@dataclass(frozen=True, slots=True)
class Flag(Scalar):
    """true or false."""

    def read(self, value: object, path: str) -> object:
        """As Part says."""
        if isinstance(value, bool):
            return value
        raise Mismatch(path, self.expected)


@dataclass(frozen=True, slots=True)
class Choice(Scalar):
    """One of some strings."""

    choices: tuple[object, ...]

    def read(self, value: object, path: str) -> object:
        """As Part says."""
        if isinstance(value, str) and value in self.choices:
            return value
        raise Mismatch(path, self.expected)


@dataclass(frozen=True, slots=True)
class Integer(Scalar):
    """An integer within bounds, or a number without a fraction."""

    least: float
    most: float

    def read(self, value: object, path: str) -> object:
        """As Part says."""
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        if isinstance(number, int) and not isinstance(number, bool) and self.least <= number <= self.most:
            return number
        raise Mismatch(path, self.expected)


@dataclass(frozen=True, slots=True)
class Time(Integer):
    """A time, which many give in another unit than this contract's."""

    def read(self, value: object, path: str) -> object:
        """As Part says."""
        try:
            # Of a zero-argument super() a dataclass with slots knows nothing.
            return Integer.read(self, value, path)
        except Mismatch:
            raise Mismatch(path, self.expected + times.mistaken(value)) from None


@dataclass(frozen=True, slots=True)
class Text(Scalar):
    """A string of some length."""

    shortest: int
    longest: float

    def read(self, value: object, path: str) -> object:
        """As Part says."""
        if isinstance(value, str) and self.shortest <= len(value) <= self.longest:
            try:
                value.encode()  # A lone surrogate: JSON is refused before, YAML can hold one.
            except UnicodeEncodeError:
                raise Mismatch(path, self.expected) from None
            return value
        raise Mismatch(path, self.expected)


@dataclass(frozen=True, slots=True)
class Id(Text):
    """A string that names something."""

    may_end_blank: bool

    def read(self, value: object, path: str) -> object:
        """As Part says."""
        text = Text.read(self, value, path)
        assert isinstance(text, str)  # noqa: S101
        if _CONTROL.search(text):
            raise Mismatch(path, self.expected)
        if text != text.strip() and not self.may_end_blank:
            raise Mismatch(path, f"{self.expected}; this one begins or ends with white space: strip it")
        return text


@dataclass(frozen=True, slots=True)
class Nullable:
    """A part, or null."""

    part: Part

    @property
    def expected(self) -> str:
        """What may stand here, in words."""
        return f"{self.part.expected}, or null"

    def read(self, value: object, path: str) -> object:
        """As Part says."""
        if value is None:
            return None
        try:
            return self.part.read(value, path)
        except Mismatch:
            raise Mismatch(path, self.expected) from None

    def known(self, value: object) -> object:
        """As Part says."""
        return value
