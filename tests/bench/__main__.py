"""``python -m tests.bench``: the bars of the worker's speed, in one run.

Ends with 1 when a bar is missed. ``python -m tests.bench forecast``, ``sweep`` or ``watching``
measures that alone; ``python -m tests.bench profile erase|path`` shows where the worker's CPU time
goes instead.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console

from tests.bench import forecasting, groups, planning, process, report, sweeping, watching
from tests.bench.profiling import Sampler
from tests.bench.rounds import Kind, RunFailed, Size, measure, prepare
from tests.bench.world import NotWiped, World, servers
from tests.bench.world import prepare as prepare_world
from worker.embedded.child import ServerFailed

FULL: Final = Size(people=10_000, rounds=5, backlogs=(10_000, 100_000), swept=1_000_000)
QUICK: Final = Size(people=4_000, rounds=3, backlogs=(3_000, 30_000), swept=200_000)

console = Console()


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    given = _arguments()
    usual = QUICK if given.quick else FULL
    size = Size(
        given.people or usual.people,
        given.rounds or usual.rounds,
        usual.backlogs,
        given.rows or usual.swept,
    )
    with tempfile.TemporaryDirectory(prefix="erasure-bench-") as folder:
        try:
            with servers(Path(folder)) as world:
                asyncio.run(prepare_world(world))
                if given.what == "forecast":
                    return _forecast(world, size.rounds)
                if given.what == "sweep":
                    table = sweeping.measure(world, size.swept, given.parts, _tell)
                    console.print(report.as_table(table))
                    return 1 if report.missed(table) else 0
                if given.what == "watching":
                    table = watching.measure(world)
                    console.print(report.as_table(table))
                    return 1 if report.missed(table) else 0
                if given.what == "profile":
                    return _profile(world, given.stage, size.people)
                return _bench(world, size, given.markdown)
        except (NotWiped, RunFailed, ServerFailed, groups.Different) as error:
            console.print(f"The bench cannot be finished: {error}", style="red", markup=False)
            return 2


def _bench(world: World, size: Size, markdown: Path | None) -> int:
    results = measure(world, size, _tell)
    table = [
        *report.rows(results, size),
        planning.measure(),
        groups.measure(world, 4 * size.people, _tell),
        report.forecast(forecasting.measure(world, size.rounds, _tell)),
        *sweeping.measure(world, size.swept, (), _tell),
        *watching.measure(world),
    ]
    said = report.notes(size, "Apache Kafka" if world.idempotent else "embedded broker (Tansu)")
    console.print(report.as_table(table))
    for line in said:
        console.print(line)
    if markdown:
        markdown.write_text(report.as_markdown(table, said))
    missed = report.missed(table)
    for line in missed:
        console.print(f"Missed: {line}", style="red", markup=False)
    return 1 if missed else 0


def _tell(line: str) -> None:
    console.print(line, style="dim")


def _forecast(world: World, rounds: int) -> int:
    row = report.forecast(forecasting.measure(world, rounds, console.print))
    console.print(report.as_table([row]))
    return 0 if row.met else 1


def _profile(world: World, stage: Kind, people: int) -> int:
    order = asyncio.run(prepare(world, stage, people, seed=0))
    sampler = Sampler()
    try:
        told = uvloop.run(process.main(order, sampler.start))
    finally:
        sampler.stop()
    rate, cost = people / told["seconds"], 1000 * told["cpu"] / people
    console.print(f"{stage}: {rate:,.0f} people/s, {cost:.2f} ms of CPU a person")
    sampler.show(console)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer people, fewer rounds")
    parser.add_argument("--people", type=int, help="people in a run")
    parser.add_argument("--rounds", type=int, help="interleaved rounds")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there, too")
    commands = parser.add_subparsers(dest="what")
    commands.add_parser("forecast", help="measure nothing but a forecast over a million rows")
    sweep = commands.add_parser("sweep", help="measure nothing but sweeps")
    sweep.add_argument("parts", nargs="*", choices=list(sweeping.PARTS), help="these alone")
    sweep.add_argument("--rows", type=int, help="rows of the table that is swept")
    commands.add_parser("watching", help="measure nothing but what those who look cost")
    parser.set_defaults(rows=None)
    profile = commands.add_parser("profile", help="show where the worker's CPU time goes")
    profile.add_argument("stage", choices=["erase", "path"])
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
