"""A person's identifiers: how they are normalised, and why they never show in a log.

An identifier is normalised before it is hashed, looked up or compared, so that one person written
in two ways is one person. :class:`Identifier` and :class:`Subject` mask themselves wherever Python
turns them into text; whoever needs a value must ask for ``value`` by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import email_validator
import phonenumbers
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

Form = Literal["text", "email", "phone"]
"""How an identifier of a kind is written: free text, e-mail address or telephone number."""

FORMS: Final[frozenset[str]] = frozenset(get_args(Form))
TEXT_LIMIT: Final = 200
"""Characters at the most in an identifier of the form ``text``."""

# Addresses that email-validator accepts as they are: it takes 60 microseconds for what this says
# in one. Whatever is not obviously plain (quoted, international, a label with "--") goes the long
# way; the tests hold the two ways against each other.
_PLAIN_EMAIL = re.compile(
    r"(?=.{3,254}\Z)[a-z0-9_+-]++(?:\.[a-z0-9_+-]++)*+"
    r"@(?:[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9])){0,62}\.)++[a-z]{2,63}",
    re.IGNORECASE | re.ASCII,
)
_SPECIAL_ENDINGS: Final = frozenset(
    name.rsplit(".", 1)[-1] for name in email_validator.SPECIAL_USE_DOMAIN_NAMES
)
_PHONE = re.compile(r"[+\uff0b]?[\d\s().\u2010-\u2015-]+")


@dataclass(frozen=True, slots=True, repr=False)
class Identifier:
    """One identifier: its ``kind`` (a word of the policy, as ``email``) and its ``value``."""

    kind: str
    value: str

    def __repr__(self) -> str:
        """Say that something is here, not what: the kind comes from outside as well."""
        return "Identifier(<masked>)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        """Masked, whatever the format."""
        return repr(self)


@dataclass(frozen=True, slots=True, repr=False)
class Subject:
    """A person, known by one or more identifiers. In JSON: ``{"email": "...", ...}``."""

    identifiers: tuple[Identifier, ...]

    @classmethod
    def of(cls, identifiers: Mapping[str, str]) -> Subject:
        """A subject from kind and value pairs, in the given order."""
        return cls(tuple(Identifier(kind, value) for kind, value in identifiers.items()))

    def plain(self) -> dict[str, str]:
        """The identifiers in the clear, for the place that must send or hash them."""
        return {identifier.kind: identifier.value for identifier in self.identifiers}

    def __repr__(self) -> str:
        """Only how many identifiers there are."""
        return f"Subject(<{len(self.identifiers)} masked>)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        """Masked, whatever the format."""
        return repr(self)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """In models and JSON Schemas a subject is an object of strings with one member or more."""
        text = core_schema.str_schema(strict=True, min_length=1)
        return core_schema.no_info_after_validator_function(
            cls.of,
            core_schema.dict_schema(text, text, min_length=1, strict=True),
            serialization=core_schema.plain_serializer_function_ser_schema(cls.plain),
        )


def normalise(form: Form, raw: str, country: str) -> str:
    """The one spelling of an identifier.

    ``email``: the rules of email-validator without DNS, then lower case as a whole (stores and
    people disagree on case far more often than mailboxes do). ``phone``: E.164, a number without
    a country code belonging to ``country`` (ISO 3166-1 alpha-2). ``text``: trimmed, 1 to 200
    characters. Normalising twice changes nothing.

    Raises ValueError when the identifier cannot be one of its form. The message never holds it.
    """
    if "\x00" in raw or not (raw.isascii() or _encodable(raw)):
        raise ValueError("holds characters that are not text")
    if form == "email":
        return _email(raw.strip())
    if form == "phone":
        return _phone(raw.strip(), country)
    return _text(raw.strip())


def _encodable(raw: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in raw)


def _text(raw: str) -> str:
    if not raw:
        raise ValueError("is empty")
    if len(raw) > TEXT_LIMIT:
        raise ValueError(f"is longer than {TEXT_LIMIT} characters")
    return raw


def _email(raw: str) -> str:
    if is_plain_email(raw):
        return raw.lower()
    # Lowering a letter can make an address that is spelt otherwise once it is composed again.
    for _ in range(3):
        again = _email_in_full(raw)
        if again == raw:
            return again
        raw = again
    raise ValueError("is not an e-mail address with one spelling")


def is_plain_email(raw: str) -> bool:
    """Whether an address is valid and normal (but for its case) without a closer look."""
    return (
        _PLAIN_EMAIL.fullmatch(raw) is not None
        and raw.index("@") <= 64
        and raw[raw.rindex(".") + 1 :].lower() not in _SPECIAL_ENDINGS
    )


def _email_in_full(raw: str) -> str:
    address: str | None = None
    with suppress(Exception):  # for odd input it and idna raise more than they say
        address = email_validator.validate_email(raw, check_deliverability=False).normalized
    # Raised out here so that no traceback leads back to an error that quotes the address.
    if address is None:
        raise ValueError("is not an e-mail address")
    return address.lower()


def _phone(raw: str, country: str) -> str:
    number: phonenumbers.PhoneNumber | None = None
    # phonenumbers looks for a number within any text and takes the first of two: too kind here.
    if _PHONE.fullmatch(raw):
        with suppress(phonenumbers.NumberParseException):
            number = phonenumbers.parse(raw, country)
    # "Possible", not "valid": numbering plans change, and a request must not fail for that.
    if number is None or not phonenumbers.is_possible_number(number):
        raise ValueError("is not a telephone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
