"""Comparing what the engines left and answered with what the model says."""

from __future__ import annotations

from tests.contract.generated.cases import Case
from tests.contract.generated.model import Model, Verdict
from tests.contract.generated.running import Engine, Left, sorted_rows
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


def _short(outcome: Outcome) -> Verdict:
    assert outcome.rows is not None
    return Verdict(outcome.result, outcome.rows, outcome.grounds, outcome.until)
