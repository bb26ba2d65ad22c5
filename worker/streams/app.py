"""The Faust application of intake, set up so that nothing is lost (DESIGN, Streams).

Only the pattern in :mod:`worker.streams.agents` is safe; every setting here that is not Faust's
default closes a hole that was reproduced.
"""

from __future__ import annotations

from typing import Any

import faust

from topics.names import INTAKE_GROUP
from worker.settings import BrokerSettings
from worker.streams.consumer import PromptTransport


class IntakeApp(faust.App):
    """Faust without its own measurements, which cost a quarter of its time an event."""

    def on_init_dependencies(self) -> Any:
        """Take the monitor out again as soon as Faust has put it in."""
        dependencies = super().on_init_dependencies()
        self.sensors.remove(self.monitor)
        return dependencies

    def on_rebalance_start(self) -> None:
        """Note a state although no sensor has one: Faust would complain at every rebalance."""
        super().on_rebalance_start()
        self._rebalancing_sensor_state = self._rebalancing_sensor_state or {None: None}


def make_app(broker: BrokerSettings, *, data_dir: str) -> Any:
    """A Faust app that only consumes. Nothing connects before it is started."""
    brokers = ";".join(f"kafka://{address.strip()}" for address in broker.bootstrap.split(","))
    app = IntakeApp(
        INTAKE_GROUP,
        broker=brokers,
        datadir=data_dir,
        store="memory://",
        key_serializer="raw",
        value_serializer="raw",
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        # An idle worker would otherwise leave its group for ever, without an error.
        broker_max_poll_interval=604_800.0,
        broker_session_timeout=broker.session_seconds,
        broker_heartbeat_interval=broker.session_seconds / 4,
        broker_commit_interval=1.0,
        stream_wait_empty=False,
        # Topics are made by `erasure topics create`, leaders by leases in the ledger.
        topic_disable_leader=True,
        topic_allow_declare=False,
        # Faust's web server leaves tables open to the world.
        web_enabled=False,
        autodiscover=False,
    )
    app.transport = PromptTransport(app.conf.broker_consumer, app, app.loop)
    return app
