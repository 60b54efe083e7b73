"""Tests of streams.routing."""
