"""Comparing what the engines left and answered with what the model says."""

from __future__ import annotations

from tests.contract.generated.cases import Case
from tests.contract.generated.model import Model, Verdict
from tests.contract.generated.running import Engine, Left, sorted_rows
from tests.contract.generated.sweeping import expected_whole, losers
from tests.contract.generated.whole import Whole
from worker.core.outcomes import UNKNOWN_ANCHOR, Outcome


def agree(engine: Engine, case: Case) -> Left:
    """Fail where engine and model differ; return what is left."""
    model = Model(case)
    expected = model.run()
    left = engine.run(case)
    used = {table.get("relation", name) for name, table in case.tables.items()}
    wanted, found = sorted_rows(model.rows), sorted_rows(left.rows)
    for name in sorted(used):
        assert found[name] == wanted[name], name
    said = {p: {g: _short(o) for g, o in groups.items()} for p, groups in left.verdicts.items()}
    assert said == expected
    assert left.due == model.due
    for person, groups in expected.items():
        for group, verdict in groups.items():
            if verdict.waits:
                assert left.verdicts[person][group].why == UNKNOWN_ANCHOR
    return left


def agree_whole(engine: Engine, whole: Whole) -> None:
    """Fail where the store, the proof or the receipts differ from what they should be."""
    before, after, told = engine.sweep_whole(whole)
    assert (told.sweep.state, told.sweep.reason) == ("done", None)
    assert told.sweep.proof is not None
    assert told.sweep.proof["rows"] == 0
    wanted, found = sorted_rows(expected_whole(whole).rows), sorted_rows(after)
    tables = whole.case.tables
    for name in sorted({table.get("relation", name) for name, table in tables.items()}):
        assert found[name] == wanted[name], name
    assert told.people == losers(whole.case, before, after)


def _short(outcome: Outcome) -> Verdict:
    assert outcome.rows is not None
    return Verdict(outcome.result, outcome.rows, outcome.grounds, outcome.until)
