"""The files for schedulers, and the example for Airflow, say what the command line takes."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from configparser import ConfigParser
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from worker.cli.app import app

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
STORES = ["newsletter", "crm", "billing"]


def cron_lines() -> list[list[str]]:
    """The commands of the crontab, each after five fields of time and a user."""
    found = []
    for line in (DEPLOY / "cron" / "erasure-retention").read_text().splitlines():
        if not line or line.startswith("#") or re.match(r"[A-Z_]+=", line):
            continue
        *when, user, command = line.split(maxsplit=6)
        assert len(when) == 5
        assert all(re.fullmatch(r"\*|\d{1,2}", field) for field in when)
        assert user == "erasure"
        found.append(shlex.split(command))
    return found


def unit_lines() -> list[list[str]]:
    """The commands of the systemd service."""
    text = (DEPLOY / "systemd" / "erasure-retention.service").read_text()
    lines = re.findall(r"^ExecStart=/usr/bin/env (.*)$", text, re.MULTILINE)
    return [shlex.split(line) for line in lines]


def job_lines() -> list[list[str]]:
    """The commands of the CronJob's containers."""
    job = YAML(typ="safe").load(DEPLOY / "kubernetes" / "erasure-retention.yaml")
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    assert job["spec"]["timeZone"] == "Europe/Oslo"
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return [container["command"] for container in pod["containers"]]


def airflow_lines() -> list[list[str]]:
    """The commands of the DAG in the documentation, which compiles."""
    (dag,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/retention.md").read_text(), re.DOTALL)
    compile(dag, "dag.py", "exec")
    (line,) = re.findall(r'bash_command=f"(.*)"', dag)
    return [shlex.split(line.format(store=store)) for store in STORES]


@pytest.mark.parametrize("lines", [cron_lines, unit_lines, job_lines, airflow_lines])
def test_each_command_is_one_that_the_command_line_takes(
    lines: Callable[[], list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the three stores is triggered, with arguments that reach the reading of settings."""
    found = lines()
    assert [line[-1] for line in found] == STORES
    reached: list[str] = []

    def settings() -> None:
        reached.append("settings")
        raise KeyboardInterrupt

    monkeypatch.setattr("worker.cli.opening.read_settings", settings)
    for name, *arguments in found:
        assert name == "erasure"
        CliRunner().invoke(app, arguments)
    assert len(reached) == 3


def test_the_timer_starts_the_service_and_catches_up() -> None:
    """The two units are a pair by their name, and a missed night is caught up once."""
    timer = ConfigParser(interpolation=None)
    timer.optionxform = str  # type: ignore[assignment,method-assign] # as configparser documents it
    timer.read(DEPLOY / "systemd" / "erasure-retention.timer")
    assert timer["Timer"]["Persistent"] == "true"
    assert timer["Timer"]["OnCalendar"].endswith("Europe/Oslo")
    assert timer["Install"]["WantedBy"] == "timers.target"
    if analyze := shutil.which("systemd-analyze"):
        units = sorted(map(str, (DEPLOY / "systemd").iterdir()))
        done = subprocess.run([analyze, "verify", *units], capture_output=True, text=True)
        assert "Unknown" not in done.stderr
