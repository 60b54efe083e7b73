"""Unit tests of the simulated traffic."""
