"""Tests of fenliu."""
