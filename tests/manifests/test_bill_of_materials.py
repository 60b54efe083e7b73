"""The bill of materials names every package of the image; the audit never says "fine" without an answer."""

import json
import subprocess

from tests.locks.pins import read
from tests.manifests.programs import DEPLOY, REPOSITORY, program

LOCK = DEPLOY / "docker" / "requirements.lock"


def test_it_has_every_locked_package_with_its_hashes() -> None:
    done = subprocess.run(
        [program("python"), DEPLOY / "docker" / "sbom.py"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    document = json.loads((REPOSITORY / done.stdout.partition(":")[0]).read_text(encoding="utf-8"))
    pins = {pin.name: pin.version for pin in read(LOCK)}
    assert document["bomFormat"] == "CycloneDX"
    assert document["metadata"]["component"]["name"] == "fenliu"
    assert {part["name"]: part["version"] for part in document["components"]} == pins
    for part in document["components"]:
        assert part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}"
        assert any(reference.get("hashes") for reference in part["externalReferences"])


def test_without_the_advisory_service_the_audit_says_that_nothing_is_known() -> None:
    # A proxy that nobody serves: the service is out of reach wherever this runs.
    done = subprocess.run(
        [program("python"), DEPLOY / "docker" / "audit.py"],
        env={"HTTPS_PROXY": "http://127.0.0.1:9", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 75, done.stdout
    assert "NOT AUDITED" in done.stderr
