"""Tests of streams.lane: what needs no broker."""
