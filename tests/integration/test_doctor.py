"""``erasure doctor`` writes what a helper needs to know, whatever is broken, and no secret."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from tests.support.driving import accept
from tests.support.nordlys import Person, erasure
from tests.support.world import World
from worker.cli.app import app
from worker.cli.exits import Exit, tell


async def doctor(settings: dict[str, str], *words: str) -> tuple[int, str]:
    """Type the command; its exit code and what it wrote to the terminal."""
    answer = await asyncio.to_thread(CliRunner().invoke, app, ["doctor", *words], env=settings)
    if answer.exception is not None and not isinstance(answer.exception, SystemExit):
        return tell(answer.exception), answer.stdout
    return answer.exit_code, answer.stdout


async def report(settings: dict[str, str]) -> dict[str, Any]:
    """The report, read."""
    code, said = await doctor(settings, "--output", "-")
    assert code == Exit.OK
    found: dict[str, Any] = json.loads(said)
    return found


async def test_it_tells_versions_settings_and_states(world: World) -> None:
    """Of a URL the kind, of a file its name; commands by store with people and attempts."""
    people = [Person(), Person()]
    await world.stores.add(*people)
    async with world.context() as context:
        await accept(context, *(erasure(person) for person in people))
    tokens = {"kari": {"role": "viewer", "sha256": "ab" * 32}}
    found = await report({**world.settings, "ERASURE_WEB": json.dumps({"tokens": tokens})})
    assert found["settings"]["web"]["tokens"] == "<1 set>"
    assert "ab" * 32 not in json.dumps(found)
    assert found["versions"]["erasure-worker"]
    assert found["versions"]["aiokafka"]
    assert found["settings"]["ledger"] == "postgresql+asyncpg:<masked>"
    assert found["settings"]["stores"]["newsletter"].startswith("sqlite")
    assert found["settings"]["payload_keys"] == {"first": "<masked>"}
    assert found["settings"]["policy"] == "nordlys.yaml"
    assert found["settings"]["redrive_seconds"] == 0.3
    assert found["policy"]["country"] == "NO"
    assert {one["part"] for one in found["check"]} >= {"broker", "ledger", "store crm"}
    crm = next(one for one in found["ledger"]["commands"] if one["store"] == "crm")
    assert (crm["state"], crm["people"], crm["most_attempts"]) == ("open", 2, 0)
    assert found["ledger"]["cases"][0]["cases"] == 2


async def test_a_password_is_not_in_it_wherever_it_stands(world: World) -> None:
    """Also where an address is meant, in a URL that nobody can read, and in another's error."""
    secret = "very+secret"
    settings = {
        **world.settings,
        "ERASURE_LEDGER": f"postgresql://kari:{secret}@127.0.0.1:1/ledger",
        "ERASURE_BROKER": json.dumps({"bootstrap": "kari:another+one@127.0.0.1:1"}),
        "ERASURE_STORES": json.dumps(
            {"crm": f"postgresql://kari:{secret}@127.0.0.1:1/crm", "billing": f"ftp://{secret}"}
        ),
    }
    code, said = await doctor(settings, "--output", "-")
    assert code == Exit.OK
    assert not [word for word in (secret, "another+one", "kari") if word in said]
    found = json.loads(said)
    assert found["ledger"]["ends_with"] == "LedgerAway"
    assert any(one["level"] == "error" for one in found["check"])


async def test_it_is_written_where_nothing_can_be_used(tmp_path: Path) -> None:
    """Without any setting it says which are missing; a file that is there is left alone."""
    found = await report({})
    assert "ERASURE_LEDGER: is not set" in found["settings"]["unusable"]
    file = tmp_path / "report.json"
    code, said = await doctor({}, "--output", str(file))
    assert (code, str(file) in said) == (Exit.OK, True)
    before = file.read_bytes()
    assert json.loads(before)["versions"]["python"]
    assert (await doctor({}, "--output", str(file)))[0] == Exit.USAGE
    assert (await doctor({}, "--output", str(tmp_path / "no" / "where")))[0] == Exit.USAGE
    assert file.read_bytes() == before
