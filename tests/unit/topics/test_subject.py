"""Identifiers: masking and normalisation."""

from __future__ import annotations

import logging
import pickle
import traceback

import email_validator
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.unit.topics.making import PATIENT
from topics.data import ConsentData
from topics.subject import Form, Identifier, Subject, is_plain_email, normalise

CANARY = "canary-7731"


@pytest.mark.parametrize(
    ("form", "raw", "normal"),
    [
        ("text", "  10023 ", "10023"),
        ("text", "Æ-17", "Æ-17"),
        ("email", " Kari.Nordmann@EXAMPLE.no ", "kari.nordmann@example.no"),
        ("email", "KÅRI@blåbær.no", "kåri@blåbær.no"),
        ("email", "kari@xn--blbr-roah.no", "kari@blåbær.no"),
        ("email", "o'neill+tag@example.com", "o'neill+tag@example.com"),
        ("phone", "912 34 567", "+4791234567"),
        ("phone", "0047 912 34 567", "+4791234567"),
        ("phone", "+47 (912) 34-567", "+4791234567"),
        ("phone", "+46 70 123 45 67", "+46701234567"),
    ],
)
def test_one_identifier_has_one_spelling(form: Form, raw: str, normal: str) -> None:
    """What people write in many ways becomes one value."""
    assert normalise(form, raw, "NO") == normal


@pytest.mark.parametrize(
    ("form", "raw"),
    [
        ("text", "   "),
        ("text", "x" * 201),
        ("text", "a\x00b"),
        ("text", "a\ud800b"),
        ("email", CANARY),
        ("email", f"{CANARY}@"),
        ("email", f"{CANARY}@example..no"),
        ("email", f"Kari <{CANARY}@example.no>"),
        ("email", f"{CANARY}@nowhere.invalid"),
        ("email", f"{CANARY}@{'a' * 250}.no"),
        ("phone", f"{CANARY}"),
        ("phone", "12"),
        ("phone", "91234567 ext. 12"),
        ("phone", "91234567/91234568"),
        ("phone", "+999 1234567"),
    ],
)
def test_what_cannot_be_an_identifier_is_refused_without_repeating_it(form: Form, raw: str) -> None:
    """The error says what is wrong, and neither it nor what led to it holds the value."""
    with pytest.raises(ValueError, match=r"^(is|holds) ") as caught:
        normalise(form, raw, "NO")
    assert caught.value.__context__ is None
    assert raw.strip() == "" or raw not in str(caught.value)


@PATIENT
@given(
    form=st.sampled_from(["text", "email", "phone"]),
    raw=st.one_of(
        st.text(max_size=60),
        st.emails(),
        st.builds("{}@{}.no".format, st.text(min_size=1, max_size=6), st.text(max_size=6)),
        st.from_regex(r"\+?[0-9 ()-]{3,16}", fullmatch=True),
    ),
)
def test_normalising_twice_changes_nothing(form: Form, raw: str) -> None:
    """Whatever comes in, the normal form is its own normal form, and only ValueError is raised."""
    try:
        once = normalise(form, raw, "NO")
    except ValueError:
        return
    assert normalise(form, once, "NO") == once


@PATIENT
@given(
    st.one_of(
        st.emails(),
        st.from_regex(
            r"[A-Za-z0-9._+-]{1,66}@([A-Za-z0-9-]{1,64}\.){1,4}[A-Za-z0-9]{1,8}", fullmatch=True
        ),
        st.builds("{}@{}".format, st.text("ab.-_+", min_size=1), st.text("ab.-0", min_size=1)),
    )
)
def test_the_short_way_for_plain_addresses_agrees_with_email_validator(raw: str) -> None:
    """Every address the quick check passes is valid, and its normal form is its lower case."""
    if is_plain_email(raw):
        full = email_validator.validate_email(raw, check_deliverability=False)
        assert full.normalized.lower() == raw.lower()


def test_ordinary_addresses_take_the_short_way() -> None:
    """The quick check is not vacuous: it passes what most addresses look like."""
    assert is_plain_email("Kari.Nordmann+news@mail.example-shop.co.uk")
    assert not is_plain_email("kari@router.local")
    assert not is_plain_email("a" * 65 + "@example.no")


@PATIENT
@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1), st.sampled_from(["", "s", ">40", "r"]))
def test_masking_never_leaks(rest: str, spec: str) -> None:
    """Neither kind nor value shows, whichever way Python turns a subject into text."""
    value = CANARY + rest
    identifier = Identifier(f"kind-{CANARY}", value)
    subject = Subject((identifier,))
    shown = [
        way
        for one in (identifier, subject)
        for way in (repr(one), str(one), format(one, spec), f"{one}", f"{one!r}", f"{[one]}")
    ]
    shown.append("%s %r" % (subject, identifier))  # noqa: UP031 - that is how logging does it
    assert all(CANARY not in text for text in shown)
    assert subject.plain() == {f"kind-{CANARY}": value}


def test_a_log_line_with_a_subject_holds_no_identifier(caplog: pytest.LogCaptureFixture) -> None:
    """The standard library's logging masks subjects as well."""
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("for %s", Subject.of({"email": f"{CANARY}@example.no"}))
    assert "Subject(<1 masked>)" in caplog.text
    assert CANARY not in caplog.text


def test_a_model_and_its_validation_error_show_no_identifier() -> None:
    """A subject within a model stays masked, and so does the input of a failed validation."""
    good = {"subject": {"email": f"{CANARY}@example.no"}, "purposes": ["newsletter"]}
    assert CANARY not in repr(ConsentData.model_validate(good))
    bad = good | {"channel": CANARY, "purposes": [], "requested_at": CANARY}
    bad |= {"subject": {"email": 5, "phone": CANARY}}
    with pytest.raises(ValidationError) as caught:
        ConsentData.model_validate(bad)
    shown = str(caught.value) + "".join(traceback.format_exception(caught.value))
    assert CANARY not in shown


def test_a_subject_is_a_value() -> None:
    """Equal identifiers make equal subjects, also after a trip through another process."""
    subject = Subject.of({"email": "kari@example.no"})
    assert subject == Subject((Identifier("email", "kari@example.no"),))
    assert pickle.loads(pickle.dumps(subject)) == subject  # noqa: S301 - our own bytes
