"""How the command ends: its exit codes, and what each expected error says and means.

=====  =============================================================================
code   meaning
=====  =============================================================================
0      done; for ``run``: told to stop, and stopped in good order
1      something is wrong that the text names: ``check`` found errors, no such case,
       the ledger is not up to date, a decision cannot be carried out
2      the command line, the settings, the policy or the input file is not usable
70     a fault of this program (EX_SOFTWARE of sysexits.h)
75     a part does not answer or the loop was stuck: try again (EX_TEMPFAIL)
130    interrupted by Ctrl-C
=====  =============================================================================
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

from worker.streams.watchdog import EXIT_STUCK


class Exit(IntEnum):
    """Exit codes of ``erasure``; the module says what they mean."""

    OK = 0
    WRONG = 1
    USAGE = 2
    BUG = 70
    TRY_AGAIN = EXIT_STUCK
    INTERRUPTED = 130


class Unusable(Exception):
    """What was given cannot be used; nothing was done. The text says what to give."""


class NotReady(Exception):
    """A part is not as it must be for this; nothing was done. The text says what to do."""


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
    # Here, so that `erasure --version` need not load a broker's client and a database's.
    from aiokafka.errors import KafkaError

    from connectors.faults import Fault, RetryLater
    from topics.admin import TopicFailed
    from worker.context import PublishFailed
    from worker.embedded.child import ServerFailed
    from worker.ledger.database import LedgerAway, LedgerConflict
    from worker.operate import NotPossible
    from worker.policy_file import PolicyError
    from worker.run import UnknownPart
    from worker.sealing import CannotOpen
    from worker.settings import SettingsError
    from worker.streams.intake_worker import IntakeCrashed

    text = str(error)
    match error:
        case SettingsError() | PolicyError() | UnknownPart() | Unusable() | CannotOpen():
            return Exit.USAGE, text
        case NotPossible() | NotReady() | TopicFailed() | ServerFailed():
            return Exit.WRONG, text
        case LedgerAway():
            return Exit.TRY_AGAIN, (
                f"the ledger does not answer ({text}); see that it runs and that ERASURE_LEDGER "
                "leads to it, then try again"
            )
        case LedgerConflict():
            return Exit.TRY_AGAIN, "somebody wrote the same at the same moment; try again"
        case PublishFailed():
            return Exit.TRY_AGAIN, (
                f"the broker did not take every message ({text}); what it was is in the ledger, "
                "and a running worker publishes it"
            )
        case KafkaError():
            return Exit.TRY_AGAIN, (
                f"the broker does not answer ({type(error).__name__}); see that it runs and that "
                "ERASURE_BROKER__BOOTSTRAP leads to it, then try again"
            )
        case IntakeCrashed():
            return Exit.TRY_AGAIN, (
                f"intake crashed ({text}); nothing uncommitted was acknowledged: start again"
            )
        case RetryLater():
            return Exit.TRY_AGAIN, f"a store does not answer ({text}); try again"
        case Fault():
            return Exit.USAGE, f"a store does not fit its settings or the policy: {text}"
    return None


def _tell_bug(error: BaseException) -> None:
    say(f"erasure: this is a fault of the program, not yours: {type(error).__name__}")
    for frame in traceback.extract_tb(error.__traceback__):
        place = "/".join(Path(frame.filename).parts[-3:])
        say(f"  {place}:{frame.lineno} in {frame.name}")
    say("Please report these lines; they hold no personal data. Starting again is safe.")
