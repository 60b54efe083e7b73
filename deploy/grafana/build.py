#!/usr/bin/env python3
"""Write the dashboards as JSON beside this file: what Grafana imports or is provisioned with.

    python -m venv DIR && DIR/bin/pip install -r deploy/grafana/requirements.txt
    DIR/bin/python deploy/grafana/build.py

SHA256SUMS says what they were made of, so that a test without Grafana's packages sees whether they are up to date.
"""

import json
from hashlib import sha256
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from operations import OPERATIONS
from shop import THE_SHOP

HERE = Path(__file__).parent


def main() -> None:
    """Write every dashboard, and the sums."""
    for dashboard in (OPERATIONS, THE_SHOP):
        text = json.dumps(dashboard.build(), cls=JSONEncoder, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        (HERE / f"{dashboard.uid.removeprefix('fenliu-')}.json").write_text(text, encoding="utf-8")
    files = sorted(file for file in HERE.iterdir() if file.suffix in {".py", ".json", ".txt"})
    sums = "".join(f"{sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)
    (HERE / "SHA256SUMS").write_text(sums, encoding="ascii")


if __name__ == "__main__":
    main()
