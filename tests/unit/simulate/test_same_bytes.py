"""The same seed gives the same bytes: in another process, with another hash seed, in a file as on standard output."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.simulate import SimulationOptions, simulate

pytestmark = pytest.mark.slow

RUN = ["simulate", "--shops", "10", "--rate", "2", "--hours", "0.5", "--bad-share", "0.01"]


def _fenliu(*args: str, hash_seed: str = "0") -> bytes:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-m", "streams", *args]
    return subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120).stdout


@pytest.mark.parametrize("replies", ["router", "sticky"])
def test_two_processes_with_different_hash_seeds_write_the_same_bytes(replies: str) -> None:
    first = _fenliu(*RUN, "--replies", replies, "--out", "-", hash_seed="1")
    second = _fenliu(*RUN, "--replies", replies, "--out", "-", hash_seed="2")
    assert first == second
    assert first.count(b"\n") > 5_000


def test_a_compressed_file_holds_the_same_lines_and_no_time_of_writing(tmp_path: Path) -> None:
    plain, packed, again = tmp_path / "a.jsonl", tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl.gz"
    for path in (plain, packed, again):
        _fenliu(*RUN, "--replies", "sticky", "--out", str(path))
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert packed.read_bytes() == again.read_bytes()


def test_another_seed_gives_other_traffic() -> None:
    options = {"shops": 1, "rate": 0.2, "hours": 1.0}
    one = [record.value for record in simulate(SimulationOptions(seed=1, **options))]  # type: ignore[arg-type]
    two = [record.value for record in simulate(SimulationOptions(seed=2, **options))]  # type: ignore[arg-type]
    assert one != two


def test_a_shop_has_the_same_people_and_settings_however_many_shops_there_are() -> None:
    def opening(shops: int) -> list[bytes | None]:
        records = simulate(SimulationOptions(shops=shops, rate=1, hours=0.1, replies="sticky"))
        return [record.value for record in records if record.topic == "shop-configs" and record.shop < 2]

    assert opening(2) == opening(12)
