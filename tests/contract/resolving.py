"""Contract, part one: whose rows carry an identifier."""

from __future__ import annotations

from connectors.base import Connector, Lookup
from tests.contract.suite import Contract
from tests.contract.world import World


class Resolving(Contract):
    """What ``resolve`` must find, and what it must not."""

    async def test_identifiers_lead_to_keys(self, world: World, connector: Connector) -> None:
        """Each declared identifier leads to the person's key, whichever of them is given."""
        await world.add_many([1, 2])
        asked = [
            Lookup(10, (("customer_id", "C1"),)),
            Lookup(20, (("email", "person2@example.com"),)),
            Lookup(30, (("phone", "+4790000001"),)),
        ]
        found = {match.ref: match.key for match in await connector.resolve(asked)}
        assert found == {10: world.key(1), 20: world.key(2), 30: world.key(1)}

    async def test_nobody(self, world: World, connector: Connector) -> None:
        """Who is not in the store is not found, and that is no error."""
        await world.add(1)
        asked = [
            Lookup(1, (("email", "nobody@example.com"), ("customer_id", "C2"))),
            Lookup(2, (("unheard-of", "C1"),)),
            Lookup(3, ()),
        ]
        assert not await connector.resolve(asked)
        assert not await connector.resolve([])

    async def test_two_people(self, world: World, connector: Connector) -> None:
        """An identifier that two people share leads to both, so that the case can be parked."""
        await world.add_many([1, 2], phone="+4799999999")
        await world.add(3)
        found = await connector.resolve([Lookup(7, (("phone", "+4799999999"),))])
        assert {(match.ref, match.key) for match in found} == {
            (7, world.key(1)),
            (7, world.key(2)),
        }

    async def test_case_matters_only_where_declared(
        self, world: World, connector: Connector
    ) -> None:
        """An address is found in any case, a customer number only letter by letter."""
        await world.add(1, email="KARI.Nordmann@Example.COM", number="ab1")
        await world.add(2, email=None, number="AB1")
        by_mail = await connector.resolve([Lookup(1, (("email", "kari.nordmann@example.com"),))])
        assert [match.key for match in by_mail] == [world.key(1)]
        by_number = await connector.resolve([Lookup(1, (("customer_id", "AB1"),))])
        assert [match.key for match in by_number] == [world.key(2)]

    async def test_letters_beyond_ascii(self, world: World, connector: Connector) -> None:
        """Case is ignored in every alphabet, and an accent makes another person."""
        await world.add(1, email="ØYVIND@example.com", number="Ærlig")
        await world.add(2, email="jose@example.com")
        found = await connector.resolve(
            [
                Lookup(1, (("email", "øyvind@example.com"),)),
                Lookup(2, (("email", "josé@example.com"),)),
                Lookup(3, (("customer_id", "Ærlig"),)),
            ]
        )
        assert {(match.ref, match.key) for match in found} == {
            (1, world.key(1)),
            (3, world.key(1)),
        }

    async def test_strong_identifiers_come_back(self, world: World, connector: Connector) -> None:
        """A match carries the strong identifiers, normalised; neither weak ones nor empty ones."""
        await world.add(1, email=" Kari@Example.com ")
        await world.add(2, email=None)
        await world.add(3, email="", number=" ")
        found = await connector.resolve(
            [Lookup(n, (("phone", f"+4790{n:06}"),)) for n in (1, 2, 3)]
        )
        carried = {match.ref: set(match.identifiers) for match in found}
        assert carried == {
            1: {("customer_id", "C1"), ("email", "kari@example.com")},
            2: {("customer_id", "C2")},
            3: set(),
        }

    async def test_one_person_found_twice(self, world: World, connector: Connector) -> None:
        """Two identifiers of one person give one match a case, and two cases each get theirs."""
        await world.add(1)
        both = (("customer_id", "C1"), ("email", "person1@example.com"))
        found = await connector.resolve([Lookup(1, both), Lookup(2, both[:1])])
        assert sorted((match.ref, match.key) for match in found) == [
            (1, world.key(1)),
            (2, world.key(1)),
        ]

    async def test_identifiers_of_two_people_in_one_case(
        self, world: World, connector: Connector
    ) -> None:
        """A case whose identifiers lead to different people is answered with both."""
        await world.add_many([1, 2])
        mixed = (("customer_id", "C1"), ("email", "person2@example.com"))
        found = await connector.resolve([Lookup(5, mixed)])
        assert {match.key for match in found} == {world.key(1), world.key(2)}

    async def test_a_value_is_only_a_value(self, world: World, connector: Connector) -> None:
        """Quotes, wildcards and SQL in an identifier find who bears it, and nobody else."""
        nasty = "x' OR '1'='1%_\\;--{}:a"
        await world.add_many([1, 2])
        await world.add(3, number=nasty[:30])
        found = await connector.resolve(
            [Lookup(1, (("customer_id", nasty[:30]),)), Lookup(2, (("customer_id", "%"),))]
        )
        assert [(match.ref, match.key) for match in found] == [(1, world.key(3))]

    async def test_a_whole_batch_at_once(self, world: World, connector: Connector) -> None:
        """Hundreds of cases are answered together, each with its own person."""
        people = range(1, 621)
        await world.add_many(people)
        found = await connector.resolve(
            [Lookup(n, (("email", f"person{n}@example.com"),)) for n in people]
        )
        assert {match.ref: match.key for match in found} == {n: world.key(n) for n in people}
        assert len(found) == len(people)
