"""Tests of streams.replay."""
