"""What a connector may raise. The class says what happens next; the text never holds a value.

====================  =========================================================================
:class:`RetryLater`   the store is away, slow or busy: its consumer pauses, backs off, resumes
:class:`Refused`      the store refused this work: the batch is bisected, one task is a dead letter
:class:`Misfit`       store and policy do not fit (no such table, no such login): stop and ask
====================  =========================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

HINTS: Final[Mapping[str, str]] = {
    "constraint": "a constraint forbids it, perhaps of a table that the policy does not declare",
    "trigger": "a trigger of the store raised an error",
    "permission": "the store's login may not do this; grant it SELECT, UPDATE and DELETE",
    "data": "the store rejected a value; compare key, field and overwrite types with the policy",
    "unavailable": "the store does not answer; it is tried again",
    "timeout": "the store took too long; it is tried again",
    "busy": "another transaction was in the way; it is tried again",
    "no-such-table": "a declared table or column is missing; run `erasure check`",
    "login": "the store does not accept the login or has no such database; see its URL",
    "statement": "the store does not understand the statement; run `erasure check`",
    "unexpected": "the store gave an error that is not known here; look into its own log",
    "bad-url": "the store's URL names no supported database",
    "no-answer": "the store did not answer in time; it is tried again",
    "paused": "an operator lets the store rest",
}
"""Codes whose hint is always the same, whatever the store; a driver's own code may follow it."""


class Fault(Exception):
    """A connector's error. ``code`` is a short stable word, ``hint`` says what an operator can do.

    Neither may contain a value of a row: driver errors quote rows, so they are never passed on.
    """

    def __init__(self, code: str, hint: str = "") -> None:
        super().__init__(f"{code}: {hint}" if hint else code)
        self.code = code
        self.hint = hint


class RetryLater(Fault):
    """Nothing is wrong with the work. Try the same again after a pause.

    ``in_doubt`` is true when the connection broke during the commit, so that nobody knows
    whether the effect happened; otherwise the store certainly rolled back.
    """

    def __init__(self, code: str, hint: str = "", *, in_doubt: bool = False) -> None:
        super().__init__(code, hint)
        self.in_doubt = in_doubt


class Refused(Fault):
    """The store will not do this work: a constraint, a trigger, a permission on a row."""


class Misfit(Fault):
    """The store does not match the policy or the settings. No task is to blame."""
