"""Guesses at what a column holds, and the lines that they become."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.seen import Kind, SeenColumn
from tests.unit.core.test_holes import whole
from worker.core.drafting import column_lines, field_line
from worker.core.guessing import category, dated, identifier, people
from worker.core.holes import holes
from worker.core.policy import Policy
from worker.policy_file import _Reader

NAMES = {
    "name": ("navn", "fornavn", "Etternavn", "displayName", "first_name", "user_login", "navn2"),
    "address": ("gateadresse", "postnr", "zip_code", "street", "comment_author_IP", "leveringsadr"
                "esse", "city"),
    "email": ("epost", "e_post", "e-mail", "kontaktEpost", "user_email", "mailadresse"),
    "phone": ("telefon", "tlf", "mobilnr", "phone_number", "privatTelefon", "cell"),
    "fax": ("faks", "faks2", "fax_no", "telefaks"),
    "bank": ("kontonummer", "bank_account", "iban", "acc_number", "kontonr"),
    "voluntary": ("merknad", "note", "comment", "fritekst", "fødselsdato", "birth_date", "body",
                  "passord", "whatever"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "found"), [(name, found) for found, names in NAMES.items() for name in names]
)
def test_norwegian_and_english_names(name: str, found: str) -> None:
    """A text column's category is guessed by its name; what nobody knows is voluntary."""
    assert category(SeenColumn(name, Kind.TEXT, True)) == found


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("status", Kind.TEXT),
        ("valuta", Kind.TEXT),
        ("created_at", Kind.TEXT),
        ("email_verified_at", Kind.DATE),
        ("antall", Kind.NUMBER),
        ("phone_confirmed", Kind.FLAG),
        ("comment_id", Kind.NUMBER),
        ("email_sent_at", Kind.TEXT),
    ],
)
def test_what_says_nothing_of_anybody(name: str, kind: Kind) -> None:
    """Words of the system, dates, numbers and flags are guessed to be nobody's."""
    assert category(SeenColumn(name, kind, True)) is None


def test_numbers_and_dates_may_be_personal() -> None:
    """A telephone in a number and a date of birth are guessed to be personal."""
    assert category(SeenColumn("mobil", Kind.NUMBER, True)) == "phone"
    assert category(SeenColumn("fødselsdato", Kind.DATE, True)) == "voluntary"
    assert category(SeenColumn("kjønn", Kind.FLAG, True)) == "voluntary"
    assert category(SeenColumn("profile", Kind.JSON, True)) == "voluntary"
    assert dated(SeenColumn("bestilt_dato", Kind.TEXT, True))


def test_who_can_be_looked_up() -> None:
    """Addresses, telephones and customer numbers may be identifiers; tables of people are known."""
    kinds = [
        identifier(SeenColumn(name, Kind.TEXT, True)) for name in ("epost", "tlf", "kundenr", "by")
    ]
    assert kinds == ["email", "phone", "customer_id", None]
    assert [people(name) for name in ("kunder", "wp_users", "Person", "invoice")] == [
        True, True, True, False
    ]  # fmt: skip


columns = st.builds(
    SeenColumn,
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40),
    st.sampled_from(Kind),
    st.booleans(),
    st.none() | st.integers(1, 300),
    st.booleans(),
)


@settings(deadline=None)
@given(columns)
def test_every_line_can_be_read_and_is_refused(column: SeenColumn) -> None:
    """Whatever a column is called, its line is YAML, a sound rule, and refused as a guess."""
    _, line = column_lines(column, ["contract"])
    read = _Reader().read(line.encode(), "draft")
    assert isinstance(read, dict)
    ((name, rule),) = read.items()
    assert name == column.name
    data = whole()
    table = data["stores"]["crm"]["tables"]["person"]
    table["fields"].pop(name, None)
    into = "not_personal" if isinstance(rule, str) else "fields"
    table.setdefault(into, {})[name] = rule
    table["key"] = ["no"] if name != "no" else ["number"]
    if name in ("ended", "no"):
        return  # the small policy finds and dates its rows by these
    (hole,) = holes(Policy.model_validate(data))
    assert hole.place[-1] == name
    assert "guess" in hole.what


def test_an_overwrite_only_where_a_row_may_stay() -> None:
    """A column that may not be empty is overwritten where its row may stay, else it is erased."""
    column = SeenColumn("navn", Kind.TEXT, False, unique=True)
    assert 'overwrite: "erased-{key}"' in field_line(column, ["g"])
    assert "action: erase," in field_line(column, ["g"], stays=False)
