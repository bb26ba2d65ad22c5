"""Gathering what somebody who helps needs to know: versions, settings, states, the last errors.

It holds no personal data and no secret: no identifier, no event id, no case, nobody's name, no
text that anybody typed, no password and no key. Every part is gathered even if another one cannot
be, and nothing is changed.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import orjson
from pydantic import BaseModel, SecretStr

from worker.check import check
from worker.health import troubles
from worker.ledger import totals
from worker.ledger.database import Connection
from worker.ledger.upgrade import head
from worker.policy_file import PolicyError
from worker.policy_file import load as load_policy
from worker.ready import ledger_of, make_sure, revision_of
from worker.settings import Settings, SettingsError
from worker.settings import load as load_settings

Section = Mapping[str, Any]

OURS: Final = "erasure-worker"
SHORTEST: Final = 4
"""Characters of a password that is looked for in the report; a shorter one is in many words."""
HARMLESS: Final = frozenset(
    {"stores", "payload_keys", "payload_key", "bootstrap", "log_format", "log_level"}
)
"""Settings whose words, or whose names, may be shown; of a URL among them still only the kind."""
QUESTIONS: Final[Mapping[str, Callable[[Connection], Awaitable[Any]]]] = {
    "server": totals.server,
    "cases": totals.cases_standing,
    "why_cases_wait": totals.reasons,
    "commands": totals.commands_standing,
    "last_errors": totals.faults,
    "batches": totals.batches_waiting,
    "sweeps": totals.last_sweeps,
    "others": totals.others,
}


async def examine(now: datetime) -> bytes:
    """Gather everything, and give it as one JSON document."""
    found: dict[str, Any] = {"at": now, "versions": versions(), "check": await check()}
    try:
        settings = load_settings()
    except SettingsError as error:
        return _written(found | {"settings": {"unusable": str(error).splitlines()}}).encode()
    found |= {
        "settings": plain_settings(settings),
        "policy": _policy(settings.policy),
        "ledger": await _ledger(settings, now),
    }
    return masked(_written(found), settings).encode()


def versions() -> dict[str, str]:
    """This program, what it stands on, and what it needs, each with its version."""
    found = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "ledger_schema": head(),
        OURS: version(OURS),
    }
    for requirement in requires(OURS) or ():
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # It belongs to an extra that is not installed.
    return found


def plain_settings(settings: BaseModel) -> dict[str, Any]:
    """The settings as far as they tell nothing of anybody: of a URL its kind, of a file its name.

    Of what is not known here to be harmless stands only that it is set, and how many there are.
    """
    return {name: _plain(name, getattr(settings, name)) for name in type(settings).model_fields}


def masked(text: str, settings: Settings) -> str:
    """Take out of a text whatever is secret in the settings, and the folders they lie in."""
    for secret in sorted(_secrets(settings), key=len, reverse=True):
        text = text.replace(secret, "<masked>")
    text = re.sub(r"[^\s\"'<>]+@", "<masked>@", text)  # Where an address was meant.
    for folder in (settings.policy.parent, settings.data_dir.parent, Path.home()):
        if str(folder) not in (".", "/"):
            text = text.replace(str(folder), "<folder>")
    return text


def _plain(name: str, value: object) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case BaseModel():
            return plain_settings(value)
        case SecretStr():
            scheme = re.match(r"([a-z0-9+]+):", value.get_secret_value())
            return f"{scheme[1]}:<masked>" if scheme else "<masked>"
        case Path():
            return value.name
        case Mapping():
            if name in HARMLESS:
                return {str(key): _plain("", one) for key, one in value.items()}
            return f"<{len(value)} set>"
        case str():
            return value.rpartition("@")[2] if name in HARMLESS else "<set>"
        case _:
            return "<set>"


def _secrets(settings: Settings) -> set[str]:
    urls = [settings.ledger, *settings.stores.values()]
    urls += [settings.traces_endpoint] if settings.traces_endpoint else []
    found = {settings.pseudonym_key, *settings.payload_keys.values(), *urls}
    texts = {secret.get_secret_value() for secret in found}
    for url in urls:
        try:
            password = urlsplit(url.get_secret_value()).password or ""
        except ValueError:
            continue  # It cannot be read, and check says so.
        texts |= {password, unquote(password)}
    return {text for text in texts if len(text) >= SHORTEST}


def _policy(file: Path) -> Section:
    try:
        policy = load_policy(file)
    except OSError as error:
        return {"unreadable": error.strerror}
    except PolicyError as error:
        return {"problems": len(error.problems)}
    return {
        "version": policy.version,
        "country": policy.country,
        "time_zone": policy.time_zone,
        "stores": {name: store.connector for name, store in policy.stores.items()},
    }


async def _ledger(settings: Settings, now: datetime) -> Section:
    """What the ledger says; of what it does not say, the kind of the error."""
    try:
        ledger = ledger_of(settings)
    except SettingsError as error:
        return {"unusable": str(error)}
    found: dict[str, Any] = {"dialect": ledger.dialect}
    try:
        found["revision"] = await revision_of(ledger)
        await make_sure(ledger)
        for name, ask in QUESTIONS.items():
            async with ledger.begin() as connection:
                found[name] = await ask(connection)
        wrong = await troubles(ledger, now)
        found["troubles"] = [{"kind": one.kind, "since": one.since} for one in wrong]
    except Exception as error:  # noqa: BLE001 - a report is wanted most where something is broken
        found["ends_with"] = type(error).__name__
    finally:
        await ledger.close()
    return found


def _written(found: Section) -> str:
    return orjson.dumps(found, default=str, option=_JSON).decode()


_JSON = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
