"""The commands of `fenliu`, one file a family; `streams.cli` loads each when it is called."""
