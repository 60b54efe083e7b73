#!/usr/bin/env python3
"""Write the bill of materials of the image's Python packages: dist/fenliu-VERSION.cdx.json (CycloneDX 1.6).

It is made from requirements.lock beside this file and validated against CycloneDX's schema. The same lock gives the
same bytes. `make sbom` runs it with the environment of tests/manifests, which has cyclonedx-bom.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]


def main() -> None:
    """Write it, and say where."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    target = REPOSITORY / "dist" / f"{project['name']}-{project['version']}.cdx.json"
    target.parent.mkdir(exist_ok=True)
    command = [
        *(sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", HERE / "requirements.lock"),
        *("--pyproject", REPOSITORY / "pyproject.toml"),
        *("--spec-version", "1.6", "--output-format", "JSON", "--output-reproducible", "--output-file", "-"),
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: S603  our own arguments
    document = json.loads(done.stdout)
    for component in document["components"]:
        # It repeats the line of the lock with all its hashes; they stand in the component anyway.
        component.pop("description", None)
    target.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(f"{target.relative_to(REPOSITORY)}: {len(document['components'])} components\n")


if __name__ == "__main__":
    main()
