"""A real Prometheus and Alertmanager that watch one worker, with the alarms of deploy/."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from ruamel.yaml import YAML

from worker.embedded.child import Child, free_port, listens

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yaml"
STARTING_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Watch:
    """The two servers, and what they say."""

    prometheus: str
    alertmanager: str

    async def firing(self) -> set[tuple[str, str]]:
        """Alarms that Alertmanager has and that have not ended: name and store."""
        url = f"{self.alertmanager}/api/v2/alerts?active=true"
        async with aiohttp.ClientSession() as client, client.get(url) as answer:
            found: list[dict[str, Any]] = await answer.json()
        return {(one["labels"]["alertname"], one["labels"].get("store", "")) for one in found}

    async def value(self, query: str) -> float | None:
        """The first number that Prometheus answers a query with."""
        url = f"{self.prometheus}/api/v1/query"
        async with (
            aiohttp.ClientSession() as client,
            client.get(url, params={"query": query}) as answer,
        ):
            rows = (await answer.json())["data"]["result"]
        return float(rows[0]["value"][1]) if rows else None


@asynccontextmanager
async def watching(folder: Path, port: int, token: str) -> AsyncIterator[Watch]:
    """Start both; every alarm fires at once here, where in earnest it waits for minutes."""
    for program in ("prometheus", "prometheus-alertmanager"):
        assert shutil.which(program), f"{program} is missing: apt-get install {program}"
    own, alarms = free_port(), free_port()
    _write(folder, port, token, alarms)
    prometheus = Child(
        "Prometheus",
        [
            "prometheus",
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'numbers'}",
            f"--web.listen-address=127.0.0.1:{own}",
        ],
        folder / "prometheus.log",
    )
    alertmanager = Child(
        "Alertmanager",
        [
            "prometheus-alertmanager",
            f"--config.file={folder / 'alertmanager.yaml'}",
            f"--storage.path={folder / 'alarms'}",
            f"--web.listen-address=127.0.0.1:{alarms}",
            "--cluster.listen-address=",
        ],
        folder / "alertmanager.log",
    )
    watch = Watch(f"http://127.0.0.1:{own}", f"http://127.0.0.1:{alarms}")
    try:
        prometheus.start(lambda: listens(own), STARTING_SECONDS)
        alertmanager.start(lambda: listens(alarms), STARTING_SECONDS)
        yield watch
    finally:
        prometheus.stop()
        alertmanager.stop()


def _write(folder: Path, port: int, token: str, alarms: int) -> None:
    """Write what the two servers are told."""
    yaml = YAML(typ="safe")
    rules = yaml.load(RULES)
    for rule in rules["groups"][0]["rules"]:
        rule["for"] = "0s"
    config = {
        "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
        "rule_files": ["alerts.yaml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alarms}"]}]}]},
        "scrape_configs": [
            {
                "job_name": "erasure",
                "authorization": {"credentials": token},
                "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
            }
        ],
    }
    folder.mkdir()
    yaml.dump(rules, folder / "alerts.yaml")
    yaml.dump(config, folder / "prometheus.yaml")
    receivers = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
    yaml.dump(receivers, folder / "alertmanager.yaml")
