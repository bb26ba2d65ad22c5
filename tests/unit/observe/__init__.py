"""Tests of what the worker shows of itself."""
