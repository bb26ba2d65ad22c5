"""An order that somebody gives on the page, and a deed: what can be ordered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from worker.context import NotPossible
from worker.observe.web.parts import Ask
from worker.web_settings import Role


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody orders: on what, in whose name, and why."""

    ask: Ask
    on: str
    by: str
    reason: str

    @property
    def number(self) -> int:
        """What it is ordered on, as a number. Raises NotPossible."""
        if not self.on.isdecimal() or not self.on.isascii() or len(self.on) > 17:
            raise NotPossible("no-number", "this is no number of anything; go back to the list")
        return int(self.on)

    @property
    def case(self) -> UUID:
        """What it is ordered on, as a case. Raises NotPossible."""
        return case_id(self.on)


def case_id(given: str) -> UUID:
    """The id of a case as it stands in an address. Raises NotPossible."""
    try:
        return UUID(given)
    except ValueError:
        raise NotPossible("no-id", "this is no id of a case; go back to the list") from None


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of a deed that was done: the key of the words, and what fills them."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)
    well: bool = True
    """False: it was done, and somebody has to look all the same."""


Do = Callable[[Order], Awaitable[Told]]
About = Callable[[Ask, str], Awaitable[dict[str, object]]]
"""What a form shows of what it is about. Raises NotPossible where there is nothing to order."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that can be done: where, by whom, and the page to go back to."""

    key: str
    path: str
    needs: Role
    do: Do
    back: str
    """``{on}`` in it stands for what it was done on."""
    fields: tuple[str, ...] = ()
    """More than a name and a reason that the form asks for."""
    about: About | None = None
