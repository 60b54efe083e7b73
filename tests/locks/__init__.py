"""The lock files install with every pip that a supported Python brings, whatever was released since.

`pins` reads them. `test_pips` asks the registry; without it, tests/unit/deploy/test_locks.py reads what is installed.
"""
