"""Read lock files, and hold them against what the locked packages say that they need."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = (
    "requirements.lock",
    "demo.lock",
    "deploy/docker/requirements.lock",
    "deploy/docker/build.lock",
    "tests/manifests/requirements.txt",
    "tests/mutation/requirements.txt",
)
ELSEWHERE = {"colorama", "async-timeout", "tzdata", "typing-extensions"}
"""What fenliu needs on another system or another Python than some."""


@dataclass(frozen=True)
class Pin:
    """One package of a lock file.

    Args:
        name: in its canonical form.
        version: the one that is locked.
        extras: what the package is installed with, such as `toml` of `coverage[toml]`.
        hashes: of its files, `sha256:…`.
        here: whether it is for this system and this Python.
    """

    name: str
    version: str
    extras: frozenset[str]
    hashes: frozenset[str]
    here: bool


def read(lock: Path) -> list[Pin]:
    """All that a lock file pins, for whatever system."""
    found: list[Pin] = []
    for line in lock.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        if line.startswith("#"):
            continue
        text, *rest = re.split(r"\s--hash=", line)
        requirement = Requirement(text)
        versions = [each.version for each in requirement.specifier if each.operator == "=="]
        assert len(versions) == len(requirement.specifier) == 1, f"{lock}: {text}: no version is pinned"
        hashes = frozenset(each.strip() for each in rest)
        assert hashes, f"{lock}: {text}: no hash"
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in hashes), line
        name, here = canonicalize_name(requirement.name), requirement.marker is None or requirement.marker.evaluate()
        found.append(Pin(name, versions[0], frozenset(requirement.extras), hashes, here))
    return found


def read_here(lock: Path) -> dict[str, Pin]:
    """What it installs on this system and this Python, by name."""
    pins = [pin for pin in read(lock) if pin.here]
    found = {pin.name: pin for pin in pins}
    assert len(found) == len(pins), f"{lock}: a package stands there twice"
    return found


def asked_for(requirements: Iterable[str], extras: Iterable[str] = ()) -> list[Requirement]:
    """Those of a package's requirements that hold on this system and this Python, with these extras of the package."""
    among = {"", *extras}
    return [
        each
        for each in map(Requirement, requirements)
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in among)
    ]


def needed_by(packages: list[str]) -> set[str]:
    """What requirements come to with all that they require in turn, as it is installed here."""
    waiting = asked_for(packages)
    found: dict[str, set[str]] = {}
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name not in found or not requirement.extras <= found[name]:
            extras = found.setdefault(name, set())
            extras |= requirement.extras
            waiting += asked_for(requires(name) or (), extras)
    return set(found)


def unpinned(pins: dict[str, Pin], needs: Callable[[str], Sequence[str] | None]) -> list[str]:
    """What pip would have to look for by itself: in --require-hashes mode it takes the newest, and then refuses it.

    Args:
        pins: what a lock file installs here.
        needs: gives a package's requirements by its name; None if they are not known.
    """
    found: list[str] = []
    for pin in pins.values():
        for each in asked_for(needs(pin.name) or (), pin.extras):
            name = canonicalize_name(each.name)
            if name not in pins:
                found.append(f"{pin.name} needs {each}, which is not locked")
            elif missing := each.extras - pins[name].extras:
                found.append(f"{pin.name} needs {each}, and {name} is locked without [{','.join(sorted(missing))}]")
    return found
