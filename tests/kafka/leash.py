"""Become another program that dies with the process that started it: `python leash.py PARENT_PID PROGRAM ARGUMENT...`.

Its process id stays the same. Linux only (PR_SET_PDEATHSIG); elsewhere the program just runs.
It stands alone: it is started without the site packages, to be quick.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # It may have died before the kernel was asked.
        if os.getppid() != parent:
            sys.exit(1)
    os.execv(program[0], program)  # noqa: S606  no shell is wanted
