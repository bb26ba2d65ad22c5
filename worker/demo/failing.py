"""The one way in which the demo gives up."""

from __future__ import annotations


class DemoFailed(Exception):
    """The demo cannot go on. The text says what went wrong and what to do about it."""
