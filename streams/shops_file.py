"""A YAML file of shop settings: a list of `shop_config` objects, checked as the router would check them.

Used by `fenliu config` and by `fenliu replay --shops`; it knows no Kafka.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from schemas.codec import InvalidEvent, parse_change
from schemas.settings import SETTINGS
from schemas.shop import AgentSettings, DetectionLag, Group, LeaveMessage, Page, ShopConfigChange
from streams.errors import UsageError
from streams.names import do_you_mean
from streams.yaml_source import YamlSource, read_yaml

_ENVELOPE = {"type", "shop_id", "event_id", "occurred_at_ms", "reset"}
_PARTS = {name for part in (AgentSettings, Group, Page, DetectionLag, LeaveMessage) for name in part.__struct_fields__}
_NAMES = SETTINGS | _ENVELOPE | _PARTS


@dataclass(frozen=True, slots=True)
class Shop:
    """One entry: the settings, and the object that goes into a record, with its `type`."""

    change: ShopConfigChange
    document: dict[str, object]
    place: str
    """Where its shop_id stands: `FILE:LINE`."""


@dataclass(frozen=True, slots=True)
class ShopsFile:
    """The entries that can be used, in the file's order, and what is wrong with the others: lines for a person."""

    name: str
    shops: list[Shop]
    errors: list[str]
    """Entries that cannot be used."""
    warnings: list[str]
    """Names that no setting has: they are ignored, and most are misspelt."""


def usable_shops(path: Path) -> ShopsFile:
    """Read a file of which every entry must be right. One without occurred_at_ms is of time 0: in force from the start.

    Raises:
        UsageError: with file, line and path of everything that is wrong.
    """
    file = read_shops(path)
    if file.errors:
        raise UsageError("\n".join(["these shop settings cannot be used:", *(f"  {error}" for error in file.errors)]))
    return file


def read_shops(path: Path) -> ShopsFile:
    """Read a file of shop settings, `-` being standard input, and say of each entry whether it can be used.

    Raises:
        UsageError: if the file cannot be read, or is not a YAML list.
    """
    source = read_yaml(path)
    if not isinstance(source.value, list):
        raise UsageError("this must be a list of shop_config objects: `- shop_id: ...`", where=source.at("$"))
    file = ShopsFile(source.name, [], [], [])
    first: dict[str, int] = {}
    for index, entry in enumerate(source.value):
        place = f"$[{index}]"
        try:
            shop = _shop(entry, source.at(f"{place}.shop_id"))
        except InvalidEvent as invalid:
            file.errors.append(_complaint(source, place, invalid, entry))
            continue
        earlier = first.setdefault(shop.change.shop_id, index)
        if earlier != index:
            line = source.line(f"$[{earlier}].shop_id")
            file.errors.append(
                f"{source.at(f'{place}.shop_id')}: {place}.shop_id: this shop stands in line {line} already"
            )
            continue
        file.shops.append(shop)
        for within, guess in unknown_settings(shop.document, shop.change):
            where = place + within.removeprefix("$")
            file.warnings.append(f"{source.at(where)}: {where}: there is no such setting, it is ignored{guess}")
    return file


def _shop(entry: object, place: str) -> Shop:
    document = {"type": "shop_config", **entry} if isinstance(entry, dict) else entry
    change = parse_change(document, timestamp_ms=0)
    assert isinstance(document, dict)  # noqa: S101  parse_change would have refused it
    return Shop(change, document, place)


def _complaint(source: YamlSource, place: str, invalid: InvalidEvent, entry: object) -> str:
    path = f"{place}{invalid.path.removeprefix('$')}"
    expected = invalid.detail.removeprefix(f"{invalid.path}: ")
    hint = ""
    if "expected a string" in invalid.detail and isinstance(_value_at(entry, invalid.path), bool | int | float):
        hint = " (put quotes around an id that looks like a number)"
    return f"{source.at(path)}: {path}: {expected}{hint}"


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


def unknown_settings(document: dict[str, object], change: ShopConfigChange) -> Iterator[tuple[str, str]]:
    """Paths of what was given and no setting has, however deep, each with a guess at what was meant."""
    settings = {name: value for name, value in document.items() if name not in _ENVELOPE}
    for path, name in _unknown(settings, orjson.loads(change.given or b"{}"), "$"):
        yield path, do_you_mean(name, _NAMES)


def _unknown(given: object, known: object, path: str) -> Iterator[tuple[str, str]]:
    """Path and name of what was given and is not known."""
    if isinstance(given, dict) and isinstance(known, dict):
        for name, value in given.items():
            if name in known:
                yield from _unknown(value, known[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}", name
    elif isinstance(given, list) and isinstance(known, list):
        for index, (item, known_item) in enumerate(zip(given, known, strict=True)):
            yield from _unknown(item, known_item, f"{path}[{index}]")
