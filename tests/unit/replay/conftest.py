"""What the tests of replay share."""

from pathlib import Path

import pytest

from tests.unit.replay.files import Replaying


@pytest.fixture
def replay(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Replaying:
    return Replaying(capsys, monkeypatch, tmp_path)
