"""Errors become exit codes and words, and never show what they should not."""

from __future__ import annotations

import importlib

import pytest

from connectors.faults import Misfit, RetryLater
from worker.cli.exits import MEANINGS, Exit, tell
from worker.core.policy import Policy
from worker.ledger.database import LedgerAway
from worker.policy_file import PolicyError, Problem
from worker.settings import SettingsError
from worker.streams.intake_worker import IntakeCrashed


@pytest.mark.parametrize("name", sorted(MEANINGS))
def test_every_name_is_an_error(name: str) -> None:
    """Each error in the table exists under that name, so that none is forgotten by renaming."""
    module, _, kind = name.rpartition(".")
    assert issubclass(getattr(importlib.import_module(module), kind), Exception)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (SettingsError("ERASURE_LEDGER: is not set"), Exit.USAGE, "ERASURE_LEDGER"),
        (PolicyError("policy.yaml", [Problem(3, "unknown key")]), Exit.USAGE, "policy.yaml:3"),
        (Misfit("bad-url", "the URL"), Exit.USAGE, "bad-url"),
        (RetryLater("busy"), Exit.TRY_AGAIN, "try again"),
        (LedgerAway("ConnectionRefusedError"), Exit.TRY_AGAIN, "ERASURE_LEDGER"),
        (ExceptionGroup("", [IntakeCrashed("KeyError")]), Exit.TRY_AGAIN, "start it again"),
    ],
)
def test_expected_errors(
    error: Exception, code: Exit, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An expected error is told in a line or two that say what to do, in a group as well."""
    assert tell(error) is code
    printed = capsys.readouterr()
    assert said in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""


def test_a_bug_shows_its_place_and_not_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Of an unexpected error the type and the lines are shown; its text may quote a row."""
    with pytest.raises(ValueError, match="kari") as caught:
        int("kari@example.no")
    group = ExceptionGroup("kari", [LedgerAway("x"), caught.value])
    assert tell(group) is Exit.BUG
    said = capsys.readouterr().err
    assert "ValueError" in said
    assert "test_exits.py" in said
    assert "kari" not in said


def test_a_policy_that_is_wrong_in_code_is_a_bug() -> None:
    """An error of a library that nobody translated is a bug and not a usage error."""
    with pytest.raises(ValueError, match="validation error") as caught:
        Policy.model_validate({})
    assert tell(caught.value) is Exit.BUG
