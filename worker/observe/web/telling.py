"""What the ledger tells tersely, in whole sentences of the page's languages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson

from connectors.faults import HINTS
from worker.context import NotPossible
from worker.core.outcomes import UNKNOWN_ANCHOR
from worker.core.terms import ground_sentence
from worker.health import Trouble
from worker.observe.story import Todo
from worker.observe.web.shown import number
from worker.observe.web.words import Words
from worker.observe.wording import GroundWords, OutcomeWords

_STATES: Final = {"case_state": "case-state", "sweep_state": "sweep"}
"""Values that are words of a closed set, and where their words stand."""


class Telling(Words):
    """The words of one language, and sentences made of them."""

    def working_days(self, count: int) -> str:
        """Say how many working days are left."""
        if count < 0:
            return self("days-late")
        return self("working-days.one" if count == 1 else "working-days", count=count)

    def step(self, key: str, values: Mapping[str, str]) -> str:
        """Say what happened to a case; see :data:`worker.observe.story.STEPS`."""
        told = dict(values)
        if key == "said":
            told["event"] = self.known("event", values["kind"])
        elif key in ("dead", "tried-again"):
            told["fault"] = self.noted(values["fault"])
        elif key == "ended":
            told["state"] = self.known("case-state", values["state"])
        elif key == "did":
            said = self("did-by", what=self.known("did", values["action"]), by=values["by"])
            return f"{said}: {values['reason']}" if values["reason"] else said
        return self(f"step.{key}", **told)

    def todo(self, todo: Todo) -> str:
        """Say what can be done about a case, or what it waits for."""
        return self(f"todo-case.{todo.key}", **todo.values)

    def target(self, target: str) -> str:
        """Say what an action was done on."""
        kind, _, which = target.partition(":")
        return f"{self.known('target', kind)} {which}"

    def refused(self, why: NotPossible) -> str:
        """Say why an order cannot be carried out."""
        told = {name: self.known(_STATES.get(name, ""), v) for name, v in why.values.items()}
        return self._filled(f"refused.{why.code}", told, str(why))

    def fault(self, code: str, hint: str = "") -> str:
        """Say what is wrong with a store; a driver's own code is told as it is."""
        said = self.known("fault", code)
        driver = hint.removeprefix(HINTS.get(code, hint)).strip()
        return f"{said} {driver}" if driver and not self.detail(code, hint) else said

    def detail(self, code: str, hint: str) -> str:
        """What a hint adds, such as names of tables: in English alone. Often nothing."""
        return "" if hint.startswith(HINTS.get(code, "\0")) else hint

    def noted(self, fault: str) -> str:
        """Say what the ledger noted of a command: a code, perhaps with its hint."""
        code, _, hint = fault.partition(": ")
        return self.fault(code, hint)

    def noted_detail(self, fault: str) -> str:
        """What a noted hint adds, in English alone."""
        code, _, hint = fault.partition(": ")
        return self.detail(code, hint)

    def trouble(self, trouble: Trouble) -> str:
        """Say what waits for somebody."""
        about: dict[str, Any] = {
            name: number(value, self.language) if name == "cases" else value
            for name, value in trouble.about.items()
        }
        if "asks" in about:
            about["asks"] = self.brake(about["asks"])
        return self(f"wrong.{trouble.kind}.what", **about)

    def reason(self, reason: Mapping[str, Any]) -> str:
        """Say why a case is parked, held, superseded or rejected."""
        why = str(reason.get("why", ""))
        told = {
            "by": " + ".join(reason.get("by") or ()) or self("the-identifiers"),
            "stores": ", ".join(reason.get("stores") or ()),
            "people": reason.get("people", ""),
            "store": reason.get("store", ""),
            "hold": reason.get("hold", ""),
        }
        said = self._filled(f"reason.{why}", told, why)
        if "rejected_by" in reason:
            return self(
                "reason.rejected",
                by=reason["rejected_by"],
                because=reason["rejected_because"],
                why=said,
            )
        return said

    def brake(self, asks: Mapping[str, Any]) -> str:
        """Say why something asks before it goes on."""
        told = {name: number(asks[name], self.language) for name in ("would", "of", "limit")}
        usual = asks.get("usual")
        if usual is None:
            return self("brake.first", **told)
        return self("brake", usual=number(float(usual), self.language), **told)

    def sweep_reason(self, reason: Mapping[str, Any]) -> str:
        """Say why a sweep waits, asks or failed."""
        why = str(reason.get("why", ""))
        if why == "brake":
            return self.brake(reason)
        names = ("by", "because", "until", "rows")
        said = self._filled(f"sweep-reason.{why}", {n: reason.get(n, "") for n in names}, why)
        apart = [f"{n} ({self.fault(code)})" for code, n in (reason.get("apart") or {}).items()]
        return f"{said}; {self('sweep-reason.apart', apart=', '.join(apart))}" if apart else said

    def _filled(self, key: str, values: Mapping[str, object], otherwise: str) -> str:
        """The words of a key, filled; or what else is told where nobody has written any."""
        text = self.texts.get(key)
        return otherwise if text is None else text.format_map(values)

    def outcome(self, one: OutcomeWords) -> str:
        """Say what became of a field group."""
        rows = self("rows.uncounted") if one.rows is None else self("rows.count", count=one.rows)
        if one.result == "retained":
            before = self("outcome.partly", rows=rows) + " " if one.rows else ""
            if one.why == UNKNOWN_ANCHOR:
                return before + self("outcome.unknown-anchor")
            if one.until is None:
                return before + self("outcome.no-end")
            return before + self("outcome.until", day=one.until)
        if one.result == "absent" and one.group == "*":
            return self("outcome.nobody")
        if f"outcome.{one.result}" not in self.texts:
            return one.result
        told = self(f"outcome.{one.result}", rows=rows)
        return f"{told}: {self.known('why', one.why)}" if one.why else told

    def ground(self, ground: GroundWords) -> str:
        """Say by what something is kept, in the policy's own words for this language."""
        if ground.terms is None:
            return self("ground.unreadable", name=ground.name)
        return ground_sentence(ground.name, ground.terms, self.language)


@cache
def words_of(language: str) -> Telling:
    """Read the words of one of ``LANGUAGES``."""
    file = files("worker.observe.web").joinpath("words", f"{language}.json")
    return Telling(language, orjson.loads(file.read_bytes()))
