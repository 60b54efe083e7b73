"""A YAML file of shop settings: a list of `shop_config` objects, checked as the router would check them.

Used by `fenliu config` and by `fenliu replay --shops`; it knows no Kafka.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from schemas.codec import InvalidEvent, parse_change
from schemas.problems import problems_of_change
from schemas.settings import SETTINGS, unknown_settings
from schemas.shop import AgentSettings, DetectionLag, Group, LeaveMessage, Page, ShopConfigChange
from streams.errors import UsageError
from streams.names import do_you_mean
from streams.shop_advice import advise
from streams.yaml_source import YamlSource, read_yaml

_ENVELOPE = {"type", "shop_id", "event_id", "occurred_at_ms", "reset"}
_PARTS = {name for part in (AgentSettings, Group, Page, DetectionLag, LeaveMessage) for name in part.__struct_fields__}
_NAMES = SETTINGS | _ENVELOPE | _PARTS


class Remark(NamedTuple):
    """What is to say of a line."""

    line: int
    text: str
    """With the file, the line and the path."""
    is_error: bool
    """The entry cannot be used. Otherwise it can, and does hardly what was meant."""


@dataclass(frozen=True, slots=True)
class Shop:
    """One entry: the settings, and the object that goes into a record, with its `type`."""

    change: ShopConfigChange
    document: dict[str, object]
    place: str
    """Where its shop_id stands: `FILE:LINE`."""


@dataclass(frozen=True, slots=True)
class ShopsFile:
    """The entries that can be used, in the file's order, and what is to say of all of them, in the order of lines."""

    name: str
    shops: list[Shop] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    @property
    def errors(self) -> list[str]:
        """Why entries cannot be used."""
        return [remark.text for remark in self.remarks if remark.is_error]

    @property
    def warnings(self) -> list[str]:
        """Names that no setting has and that are misspelt for the most part, and settings without effect."""
        return [remark.text for remark in self.remarks if not remark.is_error]


def usable_shops(path: Path) -> ShopsFile:
    """Read a file of which every entry must be right. One without occurred_at_ms is of time 0: in force from the start.

    Raises:
        UsageError: with file, line and path of everything that is wrong.
    """
    file = read_shops(path)
    if file.errors:
        told = [f"  {remark.text}" for remark in file.remarks]
        raise UsageError("\n".join(["these shop settings cannot be used:", *told]))
    return file


def read_shops(path: Path) -> ShopsFile:
    """Read a file of shop settings, `-` being standard input, and say of each entry whether it can be used.

    Raises:
        UsageError: if the file cannot be read, or is not a YAML list.
    """
    source = read_yaml(path)
    if not isinstance(source.value, list):
        raise UsageError("this must be a list of shop_config objects: `- shop_id: ...`", where=source.at("$"))
    file = ShopsFile(source.name)
    first: dict[str, str] = {}
    for index, entry in enumerate(source.value):
        place = f"$[{index}]"
        document = {"type": "shop_config", **entry} if isinstance(entry, dict) else entry
        remarks = list(_remarks(source, place, document, first))
        file.remarks.extend(remarks)
        if not any(remark.is_error for remark in remarks):
            assert isinstance(document, dict)  # noqa: S101  another would be an error
            change = parse_change(document, timestamp_ms=0)
            file.shops.append(Shop(change, document, source.at(f"{place}.shop_id")))
    file.remarks.sort(key=lambda remark: remark.line)
    return file


def _remarks(source: YamlSource, place: str, document: object, first: dict[str, str]) -> Iterator[Remark]:
    """What is to say of an entry; `first` has the place of every shop that stands before it."""

    def remark(path: str, text: str, *, is_error: bool) -> Remark:
        path = place + path.removeprefix("$")
        return Remark(source.line(path), f"{source.at(path)}: {path}: {text}", is_error)

    for problem in problems_of_change(document):
        yield remark(problem.path, _complaint(problem, document), is_error=True)
    if not isinstance(document, dict):
        return
    shop_id = document.get("shop_id")
    if isinstance(shop_id, str):
        earlier = first.setdefault(shop_id, place)
        if earlier != place:
            line = source.line(f"{earlier}.shop_id")
            yield remark("$.shop_id", f"this shop stands in line {line} already", is_error=True)
    for path, guess in misspelt(document):
        yield remark(path, f"there is no such setting, it is ignored{guess}", is_error=False)
    for path, text in advise(document):
        yield remark(path, text, is_error=False)


def misspelt(document: dict[str, object]) -> Iterator[tuple[str, str]]:
    """Paths of what stands in a shop_config and no setting has, each with a guess at what was meant."""
    for path in unknown_settings({name: value for name, value in document.items() if name not in _ENVELOPE}):
        yield path, do_you_mean(path.rpartition(".")[2], _NAMES)


def _complaint(problem: InvalidEvent, document: object) -> str:
    expected = problem.detail.removeprefix(f"{problem.path}: ")
    if "expected a string" in problem.detail and isinstance(_value_at(document, problem.path), bool | int | float):
        return f"{expected} (put quotes around an id that looks like a number)"
    return expected


def _value_at(entry: object, path: str) -> object:
    """The value at a path of names and numbers; None if it cannot be followed."""
    value = entry
    for step in path.replace("[", ".").replace("]", "").split(".")[1:]:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
