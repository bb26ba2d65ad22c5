"""A policy against the running databases of its stores: what the file alone cannot tell.

Each store is looked at even if another one does not answer; that is an error of its own. Nothing
is changed, and no value of a row is read but to count rows.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from connectors.base import Connector, Finding
from connectors.faults import Fault, Misfit, RetryLater
from connectors.registry import connect
from worker.core.drafting import column_lines
from worker.core.policy import Policy
from worker.core.references import Place

ANSWER_SECONDS = 30.0
"""How long a store may take to say what it is made of."""
COUNT_SECONDS = 3600.0
"""How long one count over a store's rows may take."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing a running store tells: where in the policy, how bad, what; lines to write."""

    place: Place
    level: str
    what: str
    write: str = ""


async def look(policy: Policy, urls: Mapping[str, SecretStr]) -> list[Told]:
    """Look at every store of a policy, side by side, in the policy's order."""
    found = await asyncio.gather(*(_store(policy, name, urls.get(name)) for name in policy.stores))
    return [one for told in found for one in told]


async def _store(policy: Policy, name: str, url: SecretStr | None) -> list[Told]:
    variable = f"ERASURE_STORES__{name.upper()}"
    place: Place = ("stores", name)
    if url is None:
        what = f"the store '{name}' was not looked at: {variable} is not set; set it to its URL"
        return [Told(place, "error", what)]
    try:
        connector = connect(
            policy.stores[name].connector,
            policy.mapping(name),
            url.get_secret_value(),
            statement_timeout=COUNT_SECONDS,
        )
    except Misfit as fault:
        what = f"the store '{name}' was not looked at: {fault.hint}; correct {variable}"
        return [Told(place, "error", what)]
    try:
        return [_told(policy, name, one) for one in await _findings(connector)]
    except RetryLater as fault:
        what = (
            f"the store '{name}' does not answer ({fault.code}), so nothing is known of it; see "
            f"that it runs and that {variable} leads to it"
        )
    except Fault as fault:
        what = f"the store '{name}' cannot be looked at: {fault}; correct the store, or {variable}"
    except TimeoutError:
        what = f"the store '{name}' does not answer within {ANSWER_SECONDS:g} s; see that it runs"
    finally:
        await connector.close()
    return [Told(place, "error", what)]


async def _findings(connector: Connector) -> list[Finding]:
    """What the store is made of and, where that fits, what its rows tell."""
    async with asyncio.timeout(ANSWER_SECONDS):
        found = list(await connector.check())
    if any(one.level == "error" for one in found):
        what = "the rows of the store were not counted, as it does not fit the policy"
        return [*found, Finding("warning", what, "correct that first, and look again")]
    return [*found, *await connector.count()]


def _told(policy: Policy, store: str, finding: Finding) -> Told:
    why = f": {finding.why}" if finding.why else ""
    write = "" if finding.unknown is None else "\n".join(_lines(policy, store, finding))
    return Told(
        ("stores", store, *finding.at),
        "warning" if finding.level == "warning" else "error",
        f"{finding.what}{why}; {finding.todo}",
        write,
    )


def _lines(policy: Policy, store: str, finding: Finding) -> tuple[str, ...]:
    """Draft the lines for an unknown column, on the grounds that most fields of its table have."""
    assert finding.unknown is not None  # noqa: S101 - only asked for an unknown column
    fields = policy.stores[store].tables[finding.at[1]].fields.values()
    grounds, _ = Counter(field.grounds for field in fields).most_common(1)[0]
    return column_lines(finding.unknown, grounds)
