"""``python -m tests.mutants [core] [engine]``: change the rules one by one, and count who notices.

cosmic-ray changes one comparison, number or condition at a time in a copy of this tree and runs the
tests that the configuration names. What nobody notices is told with its line, unless
``unnoticeable.toml`` says why it is no change. Ends with 1 below the bar.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome
from rich.console import Console

ROOT: Final = Path(__file__).parents[2]
SUITES: Final = ("core", "engine")
BAR: Final = 0.95
LEFT_OUT: Final = shutil.ignore_patterns(".git", ".venv", "*.egg-info", "__pycache__", ".*_cache")

console = Console(soft_wrap=True)


@dataclass(frozen=True)
class Mutant:
    """One change: where, of which kind, and the line as it was."""

    module: str
    operator: str
    number: int
    line: str


@dataclass
class Score:
    """What the tests of one suite noticed."""

    noticed: int
    unnoticed: list[Mutant]
    same: int
    """Changes that change nothing, each with its reason in ``unnoticeable.toml``."""

    @property
    def share(self) -> float:
        """Noticed changes out of those that could be."""
        return self.noticed / (self.noticed + len(self.unnoticed))


def main() -> int:
    """Run the suites that the command line names, or all; return the exit code."""
    suites = sys.argv[1:] or list(SUITES)
    if unknown := set(suites) - set(SUITES):
        console.print(f"No such suite: {', '.join(sorted(unknown))}; write {' or '.join(SUITES)}.")
        return 2
    missed = False
    for suite in suites:
        with tempfile.TemporaryDirectory(prefix="erasure-mutants-") as folder:
            copy = Path(folder) / "tree"
            shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
            _run(suite, copy)
            score = read(copy / "mutants.sqlite")
        missed |= score.share < BAR
        tell(suite, score)
    return int(missed)


def _run(suite: str, copy: Path) -> None:
    """Have cosmic-ray make all changes of a suite and try each; minutes to an hour."""
    config = f"tests/mutants/{suite}.toml"
    beside = str(Path(sys.executable).parent)
    settings = os.environ | {"PATH": beside + os.pathsep + os.environ.get("PATH", "")}
    for command in (
        ["cosmic-ray", "baseline", config],
        ["cosmic-ray", "init", config, "mutants.sqlite"],
        ["cr-filter-operators", "mutants.sqlite", config],
        ["cosmic-ray", "exec", config, "mutants.sqlite"],
    ):
        subprocess.run([f"{beside}/{command[0]}", *command[1:]], cwd=copy, env=settings, check=True)


def read(path: Path) -> Score:
    """Add up a session of cosmic-ray."""
    same = tomllib.loads((Path(__file__).parent / "unnoticeable.toml").read_text())["same"]
    score = Score(0, [], 0)
    with use_db(str(path), mode=WorkDB.Mode.open) as session:
        for item, result in session.completed_work_items:
            if result.test_outcome in (TestOutcome.KILLED, TestOutcome.INCOMPETENT):
                score.noticed += 1
            elif result.test_outcome is TestOutcome.SURVIVED:  # None: the filter took it out
                mutant = _mutant(item.mutations[0])
                if any(_is(mutant, known) for known in same):
                    score.same += 1
                else:
                    score.unnoticed.append(mutant)
    return score


def tell(suite: str, score: Score) -> None:
    """Print the score, and each change that nobody noticed."""
    for one in sorted(score.unnoticed, key=lambda one: (one.module, one.number)):
        console.print(f"{one.module}:{one.number}: {one.operator}: {one.line}", markup=False)
    tried = score.noticed + len(score.unnoticed)
    console.print(
        f"{suite}: {score.noticed} of {tried} changes noticed: {score.share:.1%} "
        f"(and {score.same} that change nothing)"
    )


def _mutant(spec: Any) -> Mutant:
    number: int = spec.start_pos[0]
    line = (ROOT / spec.module_path).read_text().splitlines()[number - 1].strip()
    name: str = spec.operator_name.removeprefix("core/")
    return Mutant(str(spec.module_path), name, number, line)


def _is(mutant: Mutant, known: dict[str, Any]) -> bool:
    return (
        mutant.module == known["module"]
        and mutant.operator in known["operators"]
        and mutant.line == known["line"]
    )


if __name__ == "__main__":
    sys.exit(main())
