"""The mutants that may survive: survivors.yaml, each with the reason why no test can tell it from the original."""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

_FILE = Path(__file__).with_name("survivors.yaml")


@dataclass(frozen=True)
class Mutation:
    """One change: the function it is in, the lines that go and those that come."""

    function: str
    was: str
    becomes: str

    def __str__(self) -> str:
        return f"  {self.function}\n  - {self.was}\n  + {self.becomes}"


def explanations() -> dict[Mutation, str]:
    """Why each of the survivors is equivalent.

    Raises:
        ValueError: one has no reason, or is there twice.
    """
    found: dict[Mutation, str] = {}
    for entry in yaml.safe_load(_FILE.read_text(encoding="utf-8")):
        for becomes in entry["becomes"]:
            mutation = Mutation(entry["function"], entry["was"], becomes)
            if mutation in found or not entry["why"].strip():
                raise ValueError(f"{_FILE.name}: no reason, or there twice:\n{mutation}")
            found[mutation] = entry["why"]
    return found


def mutation_of(name: str, diff: str) -> Mutation:
    """Read what mutmut shows of a mutant.

    Args:
        name: as `streams.routing.share.xǁRankingǁfirst__mutmut_12`.
        diff: a unified diff of one function.
    """
    module, _, mangled = name.rpartition(".")
    function = re.sub(r"__mutmut_\d+$", "", mangled).removeprefix("x").removeprefix("_").strip("ǁ").replace("ǁ", ".")
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    was, becomes = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign)).strip() for sign in ("-", "+")
    )
    return Mutation(f"{module.rpartition('.')[2]}.{function}", was, becomes)
