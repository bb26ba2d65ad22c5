"""How the command ends: its exit codes, and what each expected error says and means.

=====  =============================================================================
code   meaning
=====  =============================================================================
0      done; for ``run``: told to stop, and stopped in good order
1      something is wrong that the text names: ``check`` found errors, no such case,
       the ledger is not up to date, a decision cannot be carried out
2      the command line, the settings, the policy or the input file is not usable
3      something may be erased that was not before, or far more than usual: a change of the
       policy, a sweep that asks; somebody must look at it
4      ``status``: something waits for a person or is away, a deadline is in danger, nothing
       is erased
70     a fault of this program (EX_SOFTWARE of sysexits.h)
75     a part does not answer, the loop was stuck, or the broker has lost messages: try again
       (EX_TEMPFAIL)
130    interrupted by Ctrl-C
=====  =============================================================================
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Final

from worker.streams.watchdog import EXIT_STUCK
from worker.where import where


class Exit(IntEnum):
    """Exit codes of ``erasure``; the module says what they mean."""

    OK = 0
    WRONG = 1
    USAGE = 2
    REVIEW = 3
    ALARM = 4
    BUG = 70
    TRY_AGAIN = EXIT_STUCK
    INTERRUPTED = 130


MEANINGS: Final[Mapping[str, tuple[Exit, str]]] = {
    "worker.settings.SettingsError": (Exit.USAGE, "{text}"),
    "worker.policy_file.PolicyError": (Exit.USAGE, "{text}"),
    "worker.take_up.VersionTaken": (Exit.USAGE, "{text}"),
    "worker.run.UnknownPart": (Exit.USAGE, "{text}"),
    "worker.sealing.CannotOpen": (Exit.USAGE, "{text}"),
    "worker.cli.exits.Unusable": (Exit.USAGE, "{text}"),
    "worker.ready.LedgerRefuses": (Exit.USAGE, "{text}"),
    "worker.ready.LedgerBehind": (Exit.WRONG, "{text}"),
    "worker.context.NotPossible": (Exit.WRONG, "{text}"),
    "worker.cli.exits.NotReady": (Exit.WRONG, "{text}"),
    "worker.cli.exits.NotThere": (Exit.WRONG, "{text}"),
    "worker.embedded.child.ServerFailed": (Exit.WRONG, "{text}"),
    "topics.admin.TopicFailed": (Exit.WRONG, "{text}"),
    "topics.groups.GroupInUse": (Exit.WRONG, "{text}"),
    "topics.places.Replaced": (Exit.TRY_AGAIN, "{text}"),
    "worker.losses.BrokerLost": (Exit.TRY_AGAIN, "{text}"),
    "worker.ledger.database.LedgerAway": (
        Exit.TRY_AGAIN,
        "the ledger does not answer ({text}); see that it runs and that ERASURE_LEDGER leads to "
        "it, then try again; docs/runbook.md#ledger-away",
    ),
    "worker.ledger.database.LedgerConflict": (
        Exit.TRY_AGAIN,
        "somebody wrote the same at the same moment; try again",
    ),
    "worker.context.PublishFailed": (
        Exit.TRY_AGAIN,
        "the broker did not take every message ({text}); what it was is in the ledger, and a "
        "running worker publishes it",
    ),
    "worker.streams.intake_worker.IntakeCrashed": (
        Exit.TRY_AGAIN,
        "intake crashed ({text}); nothing uncommitted was acknowledged: start it again",
    ),
    "aiokafka.errors.KafkaError": (
        Exit.TRY_AGAIN,
        "the broker does not answer ({name}); see that it runs and that "
        "ERASURE_BROKER__BOOTSTRAP leads to it, then try again",
    ),
    "connectors.faults.RetryLater": (
        Exit.TRY_AGAIN,
        "a store does not answer ({text}); try again",
    ),
    "connectors.faults.Fault": (
        Exit.USAGE,
        "a store does not fit its settings or the policy: {text}",
    ),
}
"""Every error that can be expected, by its name: what it means and says.

By name and not by class, so that telling an error does not load all of the program first.
"""


class Unusable(Exception):
    """What was given cannot be used; nothing was done. The text says what to give."""


class NotReady(Exception):
    """A part is not as it must be for this; nothing was done. The text says what to do."""


class NotThere(Exception):
    """What was named does not exist. The text says how to find what does."""


def say(line: str) -> None:
    """Write one line for a person on standard error."""
    print(line, file=sys.stderr, flush=True)


def tell(error: BaseException) -> Exit:
    """Say what went wrong and what to do; return the exit code that it means.

    Of an error that nobody expected only its type and its place are shown: its text may quote
    a row.
    """
    leaves = list(_leaves(error))
    known = [(code, text) for leaf in leaves if (found := _known(leaf)) for code, text in [found]]
    if len(known) == len(leaves):
        for text in dict.fromkeys(text for _, text in known):
            say(f"erasure: {text}")
        return max(code for code, _ in known)
    for leaf in leaves:
        if _known(leaf) is None:
            _tell_bug(leaf)
    return Exit.BUG


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors of a group, or the one error."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _known(error: BaseException) -> tuple[Exit, str] | None:
    """Code and words of an error that can be expected; None for a bug."""
    for kind in type(error).__mro__:
        meaning = MEANINGS.get(f"{kind.__module__}.{kind.__qualname__}")
        if meaning is not None:
            code, words = meaning
            return code, words.format(text=error, name=type(error).__name__)
    return None


def _tell_bug(error: BaseException) -> None:
    say(f"erasure: this is a fault of the program, not yours: {type(error).__name__}")
    for line in where(error):
        say(f"  {line}")
    say("Please report these lines; they hold no personal data. Starting again is safe.")
