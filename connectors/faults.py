"""What a connector may raise. The class says what happens next; the text never holds a value.

====================  =========================================================================
:class:`RetryLater`   the store is away, slow or busy: its consumer pauses, backs off, resumes
:class:`Refused`      the store refused this work: the batch is bisected, one task is a dead letter
:class:`Misfit`       store and policy do not fit (no such table, no such login): stop and ask
====================  =========================================================================
"""

from __future__ import annotations


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
