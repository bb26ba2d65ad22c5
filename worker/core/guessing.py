"""What a column probably holds, by its name and type alone: a guess, to be confirmed by a person.

Norwegian and English names are known. What nothing is known of and can hold a free text counts as
personal: it is easier to take a field away than to notice one that was left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from connectors.seen import Kind, SeenColumn

_WORDS: Final = re.compile(r"[A-ZÆØÅ]+(?![a-zæøå])|[A-ZÆØÅ]?[a-zæøå]+|[0-9]+")

# The first that fits counts. A word ends with ~ where the name may go on with anything.
_NAMES: Final[Mapping[str, str]] = {
    "email": "email~ epost~ mail~ emailaddress e_post e_mail",
    "fax": "fax~ faks~ telefaks~",
    "phone": "phone~ tel telefon~ telephone~ tlf~ mobil~ mobile~ cell~ gsm msisdn",
    "bank": "bank~ konto kontonr kontonummer iban bic swift kortnr kortnummer card_number "
    "acc_number account_number kid",
    "address": "adresse~ address~ street~ gate gatenavn vei veinavn postnr postnummer zip~ "
    "postcode postal~ poststed city sted kommune ip latitude longitude lat lon lng",
    "name": "navn~ name fornavn~ etternavn~ mellomnavn~ firstname lastname surname fullname "
    "nickname username brukernavn~ login kallenavn kontaktperson kjøper buyer respondent",
    "voluntary": "merknad~ notat~ note notes comment~ kommentar~ beskrivelse~ description melding~ "
    "message~ tekst text fritekst body innhold content bio subject emne svar answer remark~ "
    "fødsel~ fodsel~ birth~ født fodt dob fnr personnummer personnr ssn kjønn kjonn gender sex "
    "password~ passord~ bilde photo avatar picture signatur~ signature",
}  # fmt: skip
_IMPERSONAL: Final = (
    "id uuid guid status state type kind kanal channel code kode currency valuta lang language "
    "språk sprak locale version versjon model modell slug sku article artikkel vare produkt "
    "product unit enhet hash checksum format mime role rolle"
)
_CAN_HOLD: Final = {
    Kind.DATE: ("voluntary",),
    Kind.FLAG: ("voluntary",),
    Kind.NUMBER: ("phone", "fax", "bank", "address"),
}
"""What is believed of a column that is no text: a ``comment_id`` is no comment."""
_CUSTOMER: Final = (
    "customer_no customer_number customer_id kunde_nr kunde_nummer kunde_id kundenr kundenummer "
    "member_no medlem_nr medlemsnr medlemsnummer partner_no"
)
_DATES: Final = "dato~ date~ at on tid time~ tidspunkt når"
_LAST: Final = 3
"""Words at the end of a name that are looked at together: ``e_post``, ``account_number``."""


def category(column: SeenColumn) -> str | None:
    """Guess the category of a column's content; None when it probably says nothing of anybody."""
    if column.generated:
        return None
    words = _words(column.name)
    for found, names in _NAMES.items():
        if _fits(words, names):
            kind = Kind.DATE if dated(column) else column.kind
            return found if found in _CAN_HOLD.get(kind, _NAMES) else None
    if dated(column) or column.kind is Kind.FLAG:
        return None
    if column.kind in (Kind.NUMBER, Kind.OTHER):
        return None
    return None if _fits(words, _IMPERSONAL) else "voluntary"


def dated(column: SeenColumn) -> bool:
    """Guess whether a column holds a date: some databases keep dates as texts."""
    if column.kind is Kind.DATE:
        return True
    return column.kind is Kind.TEXT and _fits(_words(column.name)[-1:], _DATES)


def identifier(column: SeenColumn) -> str | None:
    """Guess whether a person could be looked up by a column, and as which kind of identifier."""
    if _fits(_words(column.name), _CUSTOMER):
        return "customer_id"
    found = category(column)
    return found if column.kind is Kind.TEXT and found in ("email", "phone") else None


def people(name: str) -> bool:
    """Guess whether a table's rows are people, by its name."""
    return _fits(
        [word.removesuffix("s") for word in _words(name)],
        "person~ people customer kunde~ user bruker~ member medlem~ subscriber abonnent~ contact "
        "kontakt partner client account employee ansatt~ patient pasient~ guest gjest~ donor",
    )


def points_at(column: SeenColumn, table: str) -> bool:
    """Guess whether a column names rows of a table: ``user_id`` those of ``wp_users``."""
    *words, last = _words(column.name) or [""]
    singular = [word.removesuffix("s") for word in _words(table)]
    return bool(words) and last in ("id", "no", "nr") and words[-1].removesuffix("s") in singular


def overwrite(column: SeenColumn) -> str | int | None:
    """Guess what may stand in a column when its row stays; None empties it."""
    if column.nullable:
        return None
    match column.kind:
        case Kind.FLAG | Kind.OTHER | Kind.BINARY:
            return None  # nobody knows what may stand there; the live check asks for it
        case Kind.NUMBER:
            return 0
        case Kind.DATE:
            return "1900-01-01"
        case Kind.JSON:
            return "{}"
    room = column.length or 100
    if column.unique:
        return "erased-{key}" if room >= len("erased-") + 12 else "{key}"
    return "slettet" if room >= len("slettet") else "-"


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def _fits(words: list[str], names: str) -> bool:
    """Whether any of the names is among the words, or is some of them together."""
    together = {
        "_".join(words[start : start + length])
        for length in range(1, _LAST + 1)
        for start in range(len(words) - length + 1)
    }
    together |= {one.replace("_", "") for one in together}
    return any(
        any(one.startswith(name[:-1]) or one.endswith(name[:-1]) for one in together)
        if name.endswith("~")
        else name in together
        for name in names.split()
    )
