"""promtool, and what is known of the series of a worker."""

import pytest

from tests.unit.deploy.exposition import Labels, exposed
from tests.unit.deploy.places import recorded
from tests.unit.deploy.programs import find
from tests.unit.deploy.queries import with_recorded


@pytest.fixture(scope="session")
def promtool() -> str:
    """Its path."""
    return find("promtool", debian_package="prometheus")


@pytest.fixture(scope="session")
def known() -> dict[str, Labels]:
    """All series that an expression may read."""
    return with_recorded(exposed(), recorded())
