#!/usr/bin/env python3
"""Ask this container's worker how it is: exit 0 if /healthz answers 200, else 1 and its reasons.

It needs nothing but Python's own library, so that it starts fast and runs where curl is not.
"""

import os
import sys
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

ANSWERS_WITHIN_S = 4.0
"""Less than the timeout of HEALTHCHECK, so that the reason is printed."""


def main() -> int:
    """The exit code; what the worker says goes to standard output, where `docker inspect` shows it."""
    url = f"http://127.0.0.1:{os.environ.get('FENLIU_HTTP_PORT') or 8080}/healthz"
    # A proxy of the environment is for the world outside, not for ourselves.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(url, timeout=ANSWERS_WITHIN_S) as answer:
            sys.stdout.write(answer.read(4096).decode() + "\n")
            return 0
    except HTTPError as refusal:
        sys.stdout.write(refusal.read(4096).decode() + "\n")
    except OSError as exc:
        sys.stdout.write(f"{url} does not answer: {exc}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
