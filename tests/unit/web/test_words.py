"""The page's words: complete in both languages, and none that a template asks for is missing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from math import inf
from pathlib import Path
from string import Formatter

import pytest

from connectors.faults import HINTS
from topics.events import EventKind
from topics.subject import FORMS
from worker.cli.sweep_words import WHYS
from worker.core.lifecycle import CaseState, SweepState
from worker.core.outcomes import KEPT_WITHOUT_GROUND, NOT_GONE
from worker.ledger.actions import Did, Origin
from worker.observe.situations import SECTIONS
from worker.observe.stores import State
from worker.observe.story import STEPS, TODOS
from worker.observe.web.deeds import DEEDS
from worker.observe.web.look import NAV, THEMES
from worker.observe.web.telling import words_of
from worker.observe.web.words import LANGUAGES
from worker.observe.wording import OutcomeWords
from worker.web_settings import Role
from worker.who import Unfit

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "worker" / "observe" / "web"


def holes(text: str) -> set[str]:
    """What a text must be filled with."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_each_language_has_every_word() -> None:
    """The same keys, filled with the same, and no word that is empty."""
    english, norwegian = words_of("en").texts, words_of("nb").texts
    assert set(english) == set(norwegian)
    for key, text in english.items():
        assert holes(text) == holes(norwegian[key]), key
        assert text, key
        assert norwegian[key], key


def test_every_word_that_is_asked_for_is_there() -> None:
    """Keys in templates and code, and those made of a closed set of words, are all written."""
    known = set(words_of("en").texts)
    asked: set[str] = set()
    for file in [*(PAGE / "templates").iterdir(), *PAGE.glob("*.py")]:
        text = file.read_text(encoding="utf-8")
        asked |= set(re.findall(r'\bt\("([a-z.-]+)"(?: if|[,)])', text))
        asked |= set(re.findall(r'"(done[a-z.-]*)"', text)) - {"done.html"}
    asked |= {f"step.{key}" for key in STEPS if key != "did"}
    asked |= {f"did.{one}" for one in Did} | {f"origin.{one}" for one in Origin}
    asked |= {f"case-state.{one}" for one in CaseState} | {f"event.{one}" for one in EventKind}
    asked |= {f"sweep.{one}" for one in SweepState} | {f"role.{one}" for one in Role}
    asked |= {f"state.{one}" for one in State} | {f"state.{one}.next" for one in State}
    asked |= {f"state.{one}.todo" for one in State if one is not State.SERVING}
    asked |= {f"nav.{key}" for _, key in NAV} | {f"theme.{one}" for one in THEMES}
    asked |= {f"{kind}.{one.key}" for one in DEEDS for kind in ("do", "means")}
    assert asked <= known, asked - known


def test_every_refusal_trouble_and_fault_is_told() -> None:
    """Whatever a use case refuses, a store fails with or somebody must look at has its words."""
    english = words_of("en").texts
    raised = list(raised_codes("NotPossible"))
    assert len(raised) > 30
    for code, values in raised:
        assert holes(english[f"refused.{code}"]) <= values, code
    faults = {
        code for kind in ("RetryLater", "Refused", "Misfit") for code, _ in raised_codes(kind)
    }
    assert len(faults) > 6
    for code in faults | HINTS.keys() | {NOT_GONE, KEPT_WITHOUT_GROUND}:
        assert f"fault.{code}" in english
    for kind, _ in raised_codes("Trouble"):
        assert {f"wrong.{kind}", f"wrong.{kind}.what"} <= set(english)
    assert {f"wrong.{kind}" for kind in SECTIONS.keys() - {"broker-away"}} <= set(english)
    for key, text in TODOS.items():
        assert holes(english[f"todo-case.{key}"]) <= holes(text)
    assert {f"sweep-reason.{why}" for why in WHYS} <= set(english)


def raised_codes(kind: str) -> Iterator[tuple[str, set[str]]]:
    """Each code that the program gives to something of a kind, and the names of its values."""
    for file in (*(ROOT / "worker").rglob("*.py"), *(ROOT / "connectors").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == kind:
                for code in codes(node.args[0]):
                    yield code, {str(one.arg) for one in node.keywords}


def codes(given: ast.expr) -> Iterator[str]:
    """The codes that an expression may become."""
    if isinstance(given, ast.Constant):
        yield str(given.value)
    elif isinstance(given, ast.IfExp):
        yield from codes(given.body)
        yield from codes(given.orelse)
    elif isinstance(given, ast.JoinedStr):
        yield from MADE[ast.unparse(given)]


MADE = {
    "f'identifier-{form}'": [f"identifier-{form}" for form in FORMS],
    "f'{what}-{unfit.why}'": [f"{what}-{why}" for what in ("name", "reason") for why in Unfit],
}
"""Codes that are put together."""


def test_what_a_hint_adds_is_told_apart() -> None:
    """A known hint is told in the page's words with the driver's code; any other stays as it is."""
    t = words_of("nb")
    assert t.fault("busy", f"{HINTS['busy']} (40001)").endswith("det prøves igjen (40001)")
    assert t.detail("busy", f"{HINTS['busy']} (40001)") == ""
    assert t.fault("mapping", "crm has no fax") == t("fault.mapping")
    assert t.detail("mapping", "crm has no fax") == "crm has no fax"
    assert (t.noted("unheard-of: x"), t.noted_detail("unheard-of: x")) == ("unheard-of", "x")


@pytest.mark.parametrize("language", LANGUAGES)
def test_times_are_told_in_their_largest_unit(language: str) -> None:
    """A time is told as somebody would say it; one without an end says so."""
    t = words_of(language)
    told = [t.duration(seconds) for seconds in (0, 1, 59.9, 60, 3600, 7199, 86_400 * 3, inf)]
    assert told == {
        "en": ["0 seconds", "1 second", "59 seconds", "1 minute", "1 hour", "1 hour", "3 days",
               "never, as it stands"],
        "nb": ["0 sekunder", "1 sekund", "59 sekunder", "1 minutt", "1 time", "1 time", "3 dager",
               "aldri, slik det står nå"],
    }[language]  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "english"),
    [
        (("retained", 0, "2031-12-31", None), "kept until 2031-12-31"),
        (("retained", 2, None, None), "Erased in part (rows: 2); the rest: kept without an end"),
        (("retained", 0, None, "unknown-anchor"), "kept because a date is missing"),
        (("erased", None, None, None), "erased, rows not counted: an attempt was cut short"),
        (("refused", 0, None, "cannot-restrict"), "refused: the policy declares no column"),
        (("unheard-of", 0, None, None), "unheard-of"),
    ],
)
def test_outcomes_are_told(
    outcome: tuple[str, int | None, str | None, str | None], english: str
) -> None:
    """What became of a field group is told as the command line tells it."""
    result, rows, until, why = outcome
    words = OutcomeWords("table.field", result, rows, until, why, (), "")
    assert words_of("en").outcome(words).startswith(english)


def test_a_reason_is_filled_and_never_read_as_a_pattern() -> None:
    """A reason that nobody has written words for is shown as it is, whatever stands in it."""
    t = words_of("en")
    assert t.reason({"why": "{by.__class__}"}) == "{by.__class__}"
    told = t.reason({"why": "hold", "hold": 3, "rejected_by": "A", "rejected_because": "{x}"})
    assert told.startswith("A decided: {x} (hold 3 stands")
