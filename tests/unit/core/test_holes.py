"""A policy that can be read and still leaves something open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.core.policies import NORDLYS, declared
from worker.core.holes import holes
from worker.core.policy import Policy
from worker.policy_file import PolicyError, load, load_whole, review


def whole() -> dict[str, Any]:
    """The small policy without a hole."""
    data = declared()
    for ground in data["grounds"].values():
        ground["text"] = {"nb": "Fordi.", "en": "Because."}
        if ground["kind"] == "consent":
            ground["evidence"] = "ledger"
    return data


@pytest.mark.parametrize("file", sorted(NORDLYS.parent.rglob("*.yaml")), ids=lambda f: f.stem)
def test_what_others_copy_from_has_no_hole(file: Path) -> None:
    """The demo company's policy and every example are whole."""
    assert review(file)[1] == []


def test_the_small_policy_has_no_hole() -> None:
    """Nor has the small one that these tests bend."""
    assert holes(Policy.model_validate(whole())) == []


HOLES: dict[str, tuple[Callable[[dict[str, Any]], object], tuple[str, str], str]] = {
    "identifier": (
        lambda data: data["identifiers"].update(passport={"form": "text", "strong": True}),
        ("identifiers", "passport"),
        "no store is looked up by 'passport'",
    ),
    "purpose": (
        lambda data: data["purposes"].update(analysis={}),
        ("purposes", "analysis"),
        "no ground is declared for the purpose 'analysis'",
    ),
    "unused ground": (
        lambda data: data["grounds"].update(spare={**data["grounds"]["books"], "reference": "d"}),
        ("grounds", "spare"),
        "no field is held on the ground 'spare'",
    ),
    "evidence": (
        lambda data: data["grounds"]["news-consent"].pop("evidence"),
        ("grounds", "news-consent"),
        "nothing says where the consent 'news-consent' can be shown",
    ),
    "for ever": (
        lambda data: (
            [data["grounds"]["contract"].pop(key) for key in ("anchor", "period")]
            and [
                table["anchors"].pop("contract-end")
                for table in data["stores"]["crm"]["tables"].values()
            ]
        ),
        ("grounds", "contract"),
        "the contract 'contract' never ends",
    ),
    "language": (
        lambda data: data["grounds"]["books"]["text"].pop("nb"),
        ("grounds", "books"),
        "'books' has no text in nb",
    ),
}


@pytest.mark.parametrize("name", HOLES)
def test_each_hole_is_found(name: str) -> None:
    """One hole gives one message: where, what, why it matters, and what to write."""
    change, place, what = HOLES[name]
    data = whole()
    change(data)
    (hole,) = holes(Policy.model_validate(data))
    assert (hole.place, hole.what) == (place, what)
    assert hole.why
    assert hole.write.startswith(("add ", "map ", "name "))


def test_a_hole_has_its_line_and_stops_work(tmp_path: Path) -> None:
    """A file with a hole can be looked at, with the line of the hole, and not worked with."""
    file = tmp_path / "policy.yaml"
    lines = NORDLYS.read_text().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if "evidence: ledger" in line)
    file.write_text("".join(lines[:at] + lines[at + 1 :]))
    _, (problem,) = review(file)
    assert lines[problem.line - 1].strip() == "newsletter-consent:"
    assert "art. 7(1)" in problem.what
    assert load(file).version == load(NORDLYS).version
    with pytest.raises(PolicyError, match="newsletter-consent"):
        load_whole(file)


GUESSES: dict[str, tuple[Callable[[dict[str, Any]], object], tuple[str | int, ...]]] = {
    "field": (
        lambda data: _crm(data, "person")["fields"]["name"].update(guess=True),
        ("stores", "crm", "tables", "person", "fields", "name"),
    ),
    "identifier": (
        lambda data: _crm(data, "person")["identifiers"]["email"].update(guess=True),
        ("stores", "crm", "tables", "person", "identifiers", "email"),
    ),
    "anchor": (
        lambda data: _crm(data, "bill")["anchors"]["document-date"].update(guess=True),
        ("stores", "crm", "tables", "bill", "anchors", "document-date"),
    ),
    "parent": (
        lambda data: _crm(data, "bill")["parent"].update(guess=True),
        ("stores", "crm", "tables", "bill", "parent"),
    ),
    "kind": (
        lambda data: data["identifiers"]["phone"].update(guess=True),
        ("identifiers", "phone"),
    ),
    "ground": (lambda data: data["grounds"]["books"].update(guess=True), ("grounds", "books")),
    "reason": (
        lambda data: _crm(data, "bill").update(not_personal={"total": "guess: an amount"}),
        ("stores", "crm", "tables", "bill", "not_personal", "total"),
    ),
    "text": (
        lambda data: data["grounds"]["books"]["text"].update(nb="guess: Fordi."),
        ("grounds", "books", "text", "nb"),
    ),
}


def _crm(data: dict[str, Any], table: str) -> dict[str, Any]:
    found: dict[str, Any] = data["stores"]["crm"]["tables"][table]
    return found


@pytest.mark.parametrize("name", GUESSES)
def test_a_guess_is_refused_until_it_is_confirmed(name: str) -> None:
    """Wherever a draft marks a guess, the policy does not run until the mark is gone."""
    mark, place = GUESSES[name]
    data = whole()
    mark(data)
    (hole,) = holes(Policy.model_validate(data))
    assert hole.place == place
    assert "take the mark" in hole.write
