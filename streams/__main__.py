"""`python -m streams` is `fenliu`."""

from streams.cli import main

if __name__ == "__main__":
    main(prog_name="fenliu")
