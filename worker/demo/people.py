"""The made-up people of the demo company: the same ones every day, only their dates move along.

Nobody here exists. Names and addresses come from Faker with a fixed seed. E-mail addresses end in
``example.no`` and ``example.com``. Telephone numbers are valid, in the area of Svalbard (79), where
real ones begin with 79 02; these begin with 79 99.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from faker import Faker

SEED = 20_180_720
"""The day on which the GDPR began to apply in Norway."""
LOCALE = "no_NO"
"""What Faker calls Bokmål (nb_NO)."""

_NOTES = (
    "Ringer helst etter klokken 16.",
    "Har hund; varer settes i boden.",
    "Ønsker faktura på papir.",
    "Er med i borettslagets styre.",
    "Spør alltid etter Ola på lageret.",
)
_MESSAGES = (
    "Pakken kom fram med skade på esken.",
    "Lurer på når den nye modellen kommer.",
    "Vil bytte til en større størrelse.",
    "Får ikke logget inn etter at telefonen ble byttet.",
)
_COMMENTS = (
    "Veldig fornøyd, men leveringen tok tid.",
    "Butikken i sentrum burde ha lengre åpningstid.",
    "Hjelpsomme folk på telefonen.",
)
_CHANNELS = ("telephone", "e-mail", "contact-form")


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice with one line; ``issued_on`` is None where the books have a hole."""

    number: int
    issued_on: date | None
    total: int
    """In øre."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person, with what each store of the company knows of them."""

    number: int
    name: str
    address: str
    email: str
    phone: str
    customer_no: str | None = None
    """None: a subscriber of the newsletter and nothing more."""
    contract_ended_on: date | None = None
    fax: str | None = None
    notes: str | None = None
    invoices: tuple[Invoice, ...] = ()
    contacts: tuple[tuple[date, str, str], ...] = ()
    """When, by which channel, and what they wrote or said."""
    answers: tuple[tuple[str, int, str], ...] = ()
    """Survey, score and comment."""
    subscribed_on: date | None = None

    @property
    def account_no(self) -> int:
        """Their account in billing, where they are a customer."""
        return 50_000 + self.number


@dataclass(frozen=True, slots=True)
class Cast:
    """Those whom the story follows one by one."""

    subscriber: Person
    """Has the newsletter and nothing else."""
    customer: Person
    """Has a running contract, fresh invoices and one that is nine years old."""
    former: Person
    """Whose contract ended a few months ago, and whom the company still sends offers."""


def make_people(today: date, count: int) -> tuple[Cast, Sequence[Person]]:
    """The cast and a crowd of ``count`` others. Dates lie as many days before ``today`` as ever."""
    maker = _Maker(today)
    return maker.cast(), [maker.somebody() for _ in range(count)]


class _Maker:
    def __init__(self, today: date) -> None:
        self._faker = Faker(LOCALE)
        self._faker.seed_instance(SEED)
        self._chance = random.Random(SEED)  # noqa: S311 - made-up people are no secret
        self._today = today
        self._made = 0

    def cast(self) -> Cast:
        subscriber = self._person(subscribed_on=self._ago(400))
        customer = self._person(
            customer=True,
            fax=True,
            notes=_NOTES[0],
            invoiced=(15, 200, 9 * 366),
            contacts=((self._ago(60), "contact-form", _MESSAGES[0]),),
            answers=(("Kundetilfredshet", 4, _COMMENTS[0]),),
            subscribed_on=self._ago(700),
        )
        former = self._person(
            customer=True,
            contract_ended_on=self._ago(120),
            notes=_NOTES[1],
            invoiced=(150,),
            subscribed_on=self._ago(900),
        )
        return Cast(subscriber, customer, former)

    def somebody(self) -> Person:
        """One of the crowd: three in four are customers, and most have the newsletter."""
        chance = self._chance
        subscribed_on = self._ago(chance.randint(30, 2_000))
        if chance.random() >= 0.75:
            return self._person(subscribed_on=subscribed_on)
        end = chance.choice((None, None, chance.randint(30, 340), chance.randint(800, 3_000)))
        newest = end or 10
        return self._person(
            customer=True,
            contract_ended_on=None if end is None else self._ago(end),
            fax=chance.random() < 0.05,
            notes=chance.choice(_NOTES) if chance.random() < 0.3 else None,
            invoiced=tuple(newest + chance.randint(0, 2_500) for _ in range(chance.randint(1, 3))),
            contacts=tuple(
                (self._ago(chance.randint(10, 1_200)), chance.choice(_CHANNELS), message)
                for message in chance.sample(_MESSAGES, chance.choice((0, 0, 1, 2)))
            ),
            answers=(("Kundetilfredshet", chance.randint(1, 5), chance.choice(_COMMENTS)),)
            if chance.random() < 0.3
            else (),
            subscribed_on=subscribed_on if chance.random() < 0.6 else None,
        )

    def _person(
        self,
        *,
        customer: bool = False,
        contract_ended_on: date | None = None,
        fax: bool = False,
        notes: str | None = None,
        invoiced: tuple[int, ...] = (),
        contacts: tuple[tuple[date, str, str], ...] = (),
        answers: tuple[tuple[str, int, str], ...] = (),
        subscribed_on: date | None = None,
    ) -> Person:
        self._made += 1
        number = self._made
        faker = self._faker
        first, last = faker.first_name(), faker.last_name()
        domain = "example.no" if number % 3 else "example.com"
        return Person(
            number=number,
            name=f"{first} {last}",
            address=f"{faker.street_address()}, {faker.postcode()} {faker.city()}",
            email=f"{_plain(first)}.{_plain(last)}{number}@{domain}",
            phone=f"+477999{number % 10_000:04}",
            customer_no=f"K{10_000 + number}" if customer else None,
            contract_ended_on=contract_ended_on,
            fax=f"+477998{number % 10_000:04}" if fax else None,
            notes=notes,
            invoices=tuple(self._invoice(number, at, days) for at, days in enumerate(invoiced)),
            contacts=contacts,
            answers=answers,
            subscribed_on=subscribed_on,
        )

    def _invoice(self, person: int, at: int, days: int) -> Invoice:
        lost = person % 500 == 7 and at == 0  # A few invoices have lost their date.
        return Invoice(
            number=person * 10 + at,
            issued_on=None if lost else self._ago(days),
            total=100 * self._chance.randint(99, 9_999),
        )

    def _ago(self, days: int) -> date:
        return self._today - timedelta(days=days)


def _plain(name: str) -> str:
    """A name as it stands in an e-mail address."""
    spelled = name.lower().replace("ø", "o").replace("æ", "ae")
    letters = unicodedata.normalize("NFKD", spelled)
    return "".join(letter for letter in letters if letter.isascii() and letter.isalpha())
