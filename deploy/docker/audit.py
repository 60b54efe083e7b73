#!/usr/bin/env python3
"""Ask an advisory service about the locked packages of the image.

Exit code 0: no known vulnerability; 1: some; 75: the service was not reached for all packages, so nothing is known.

`make audit` runs it with the environment of tests/manifests, which has pip-audit. It needs the internet: the services
are no package registries, and where only those are reached there is no answer. That is said, and is no pass.
"""

import json
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parent / "requirements.lock"
CLEAN, VULNERABLE, UNREACHED = 0, 1, 75


def main() -> int:
    """The exit code; findings go to standard output."""
    command = [
        *(sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--timeout", "20", "--format", "json"),
        *("--vulnerability-service", "osv", "--disable-pip", "--require-hashes", "--requirement", LOCK),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own arguments
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return _unreached(reason)
    found = [
        f"{package['name']} {package['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'none'}"
        for package in packages
        for flaw in package.get("vulns", ())
    ]
    sys.stdout.writelines(f"{line}\n" for line in found)
    # A package that the service does not know of is skipped, and pip-audit ends as if all were well.
    skipped = [f"{package['name']}: {package['skip_reason']}" for package in packages if "skip_reason" in package]
    if skipped:
        return _unreached("; ".join(skipped))
    if not found:
        sys.stdout.write(f"{len(packages)} packages, no known vulnerability\n")
    return VULNERABLE if found else CLEAN


def _unreached(reason: str) -> int:
    sys.stderr.write(
        f"NOT AUDITED: {reason[:500]}\n"
        "The advisory service must be reached over the internet. Run `make audit` where it is, before a release.\n"
    )
    return UNREACHED


if __name__ == "__main__":
    sys.exit(main())
