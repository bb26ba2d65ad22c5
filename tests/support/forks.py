"""Processes that need not load the program first: one server loads it once, and each is its fork.

The forks are taken before any event loop or thread exists.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "tests.faults.killable_worker",
        "tests.faults.sweeping_process",
        "worker.cli.app",
        "tests.support.preloaded",
    ]
)


def run(
    command: Sequence[str],
    variables: Mapping[str, str],
    folder: Path,
    streams: Path,
    patience: float,
) -> int:
    """Run a command of ``erasure`` to its end; return its exit code.

    Args:
        command: what is typed, ``erasure`` first.
        variables: its whole environment.
        folder: where it is typed.
        streams: the folder of the files ``in``, which it reads, and ``out`` and ``err``.
        patience: seconds after which it is killed, and TimeoutError raised.
    """
    process = FORKS.Process(target=_become, args=(list(command), dict(variables), folder, streams))
    process.start()
    process.join(patience)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise TimeoutError(f"{command} did not end")
    return process.exitcode


def _become(command: list[str], variables: dict[str, str], folder: Path, streams: Path) -> None:
    """Turn a fresh fork into the command: its variables, its folder, its three streams."""
    from worker.cli.app import run_command_line

    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    for number, name in enumerate(("in", "out", "err")):
        with (streams / name).open("ab" if number else "rb") as file:
            os.dup2(file.fileno(), number)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115 - to its end
        for number, mode in enumerate("rww")
    )
    sys.argv = command
    run_command_line()
