"""The shell completes commands and options, and nothing else happens by it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("erasure")


def bash(script: str, home: Path) -> str:
    """What a script of a shell prints, in a home of its own and without any setting of ours."""
    environment = {"HOME": str(home), "PATH": f"{COMMAND.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["/bin/bash", "--norc", "-c", script + "\nexit $?"],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("stores p", ["pause"]),
        ("stores ", ["list", "pause", "drain", "resume"]),
        ("doct", ["doctor"]),
        ("case extend --r", ["--reason"]),
    ],
)
def test_the_shell_completes(tmp_path: Path, typed: str, completed: list[str]) -> None:
    """What ``--show-completion`` prints, a shell can use; no file is written, nothing is opened."""
    words = ["erasure", *typed.split(" ")]
    script = (
        'eval "$(erasure --show-completion)"\n'
        f"COMP_WORDS=({' '.join(repr(word) for word in words)}) COMP_CWORD={len(words) - 1}\n"
        '_erasure_completion erasure; echo "${COMPREPLY[@]}"'
    )
    assert set(bash(script, tmp_path).split()) == set(completed)
    assert list(tmp_path.iterdir()) == []
