"""How fast the worker is, against a program written by hand: ``python -m tests.bench``."""
