"""Driver errors become the three faults. Nothing of a driver's text is ever passed on.

Drivers quote rows and parameters ("Key (email)=(kari@…) is still referenced"), so only their codes
are read: SQLSTATE for PostgreSQL, the error number for MariaDB and MySQL, the extended result code
for SQLite.

Sources: PostgreSQL manual, appendix A; MariaDB and MySQL error references; SQLite result codes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, NoSuchTableError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from connectors.faults import HINTS, Fault, Misfit, Refused, RetryLater

T = TypeVar("T")

_MYSQL: dict[str, frozenset[int]] = {
    "constraint": frozenset(
        {1022, 1048, 1062, 1169, 1216, 1217, 1451, 1452, 1557, 1586, 1761, 1762, 3819, 4025}
    ),
    "trigger": frozenset({1644, 1643, 1642}),
    "permission": frozenset({1142, 1143, 1227, 1370}),
    "data": frozenset({1264, 1265, 1292, 1366, 1406, 1411, 1425, 1426, 1690}),
    "busy": frozenset({1205, 1213, 1020, 3572}),
    "timeout": frozenset({1969, 3024, 1317, 1159, 1161}),
    "unavailable": frozenset(
        {1040, 1053, 1129, 1158, 1160, 1184, 1203, 1226, 1290, 1792, 1836, 1927}
        | {2002, 2003, 2006, 2012, 2013, 2055, 3169, 4031}
    ),
    "no-such-table": frozenset({1054, 1146, 1109, 1051, 1176}),
    "login": frozenset({1044, 1045, 1049, 1130, 1131, 1133, 1251, 1298, 1698, 2054, 2059}),
    "statement": frozenset({1064, 1149, 1288, 1305, 1348, 1347}),
}
_SQLITE: dict[int, str] = {
    1: "no-such-table", 3: "permission", 5: "busy", 6: "busy", 7: "unavailable", 8: "permission",
    9: "timeout", 10: "unavailable", 11: "statement", 13: "unavailable", 14: "unavailable",
    15: "busy", 18: "data", 19: "constraint", 20: "data", 23: "permission", 25: "data",
    26: "statement",
}  # fmt: skip
_SQLITE_TRIGGER = 1811
_STATES = {
    "42501": "permission", "57014": "timeout", "55P03": "busy", "40002": "constraint",
    "42P01": "no-such-table", "42703": "no-such-table", "3F000": "no-such-table",
    "3D000": "login", "45000": "trigger",
}  # fmt: skip
_STATE_CLASSES = {
    "23": "constraint", "44": "constraint", "P0": "trigger", "22": "data", "08": "unavailable",
    "57": "unavailable", "53": "unavailable", "58": "unavailable", "25": "unavailable",
    "40": "busy", "55": "busy", "28": "login", "42": "statement", "0A": "statement",
    "26": "unavailable",
}  # fmt: skip
_RETRY = frozenset({"unavailable", "timeout", "busy"})
_MISFIT = frozenset({"no-such-table", "login", "statement"})


def translate(error: Exception, *, committing: bool = False) -> Fault:
    """Say what a driver's error means for the work. ``committing``: it came out of the COMMIT."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, (ArgumentError, NoSuchModuleError)):
        return Misfit("bad-url", HINTS["bad-url"])
    code, state = _classify(error)
    hint = f"{HINTS[code]} ({state})" if state else HINTS[code]
    if code in _RETRY:
        return RetryLater(code, hint, in_doubt=committing and code != "busy")
    return Misfit(code, hint) if code in _MISFIT else Refused(code, hint)


async def guarded(work: Callable[[], Awaitable[T]], phase: Phase | None = None) -> T:
    """Run ``work``; whatever it raises leaves here as a fault with no error chained to it.

    The chain is cut, not merely hidden: an error's context would carry row values into logs.
    """
    try:
        return await work()
    except Exception as error:  # noqa: BLE001 - the protocol allows three faults and nothing else
        fault = translate(error, committing=phase is not None and phase.committing)
    fault.__cause__ = fault.__context__ = None
    raise fault


class Phase:
    """Whether a unit of work has come to its COMMIT: from there on a lost line is in doubt."""

    __slots__ = ("committing",)

    def __init__(self) -> None:
        self.committing = False


def _classify(error: Exception) -> tuple[str, str]:
    """Return our word for an error and the driver's code, if it has one."""
    for link in _chain(error):
        number = link.args[0] if link.args else None
        if "asyncmy" in type(link).__module__ and isinstance(number, int):
            word = next((w for w, numbers in _MYSQL.items() if number in numbers), None)
            # A store's own trigger may signal any number; its SQLSTATE still says what it is.
            return word or _by_state(getattr(link, "sqlstate", None)), f"MySQL {number}"
        state = getattr(link, "sqlstate", None)
        if isinstance(state, str) and state:
            return _by_state(state), state
        extended = getattr(link, "sqlite_errorcode", None)
        if isinstance(extended, int):
            word = "trigger" if extended == _SQLITE_TRIGGER else _SQLITE.get(extended & 0xFF)
            return word or "unexpected", f"SQLite {extended}"
    for link in _chain(error):
        if isinstance(link, (TimeoutError, PoolTimeout)):
            return "timeout", ""
        if isinstance(link, (OSError, EOFError)):
            return "unavailable", ""
        if isinstance(link, NoSuchTableError):
            return "no-such-table", ""
        if isinstance(link, DBAPIError) and link.connection_invalidated:
            return "unavailable", ""
        if type(link).__name__ in ("InterfaceError", "InternalClientError"):
            return _interface(link)
    return "unexpected", type(error).__name__


def _by_state(state: str | None) -> str:
    known = state and (_STATES.get(state) or _STATE_CLASSES.get(state[:2]))
    return known or "unexpected"


def _interface(error: BaseException) -> tuple[str, str]:
    """Tell a value that a driver could not send from a line that it lost."""
    text = str(error).lower()
    if "closed" in text or "another operation" in text:
        return "unavailable", ""
    return "data", ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Walk from SQLAlchemy's wrapper to the driver's own error."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        link = todo.pop(0)
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        todo += [getattr(link, "orig", None), link.__cause__]
