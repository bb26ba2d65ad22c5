"""The catalogue of topics."""

from __future__ import annotations

import pytest

from topics import names

DAY_MS = 86_400_000


def test_every_topic_of_the_contract_is_in_the_catalogue_once() -> None:
    """The catalogue holds the topics in, two for each store, and the topics out."""
    listed = [topic.name for topic in names.catalogue(["crm", "billing", "crm"])]
    assert listed == [
        "privacy.consent",
        "privacy.requests",
        "privacy.retention",
        "erasure.commands.billing",
        "erasure.commands.crm",
        "erasure.sweeps.billing",
        "erasure.sweeps.crm",
        "erasure.suppressions",
        "erasure.receipts",
        "erasure.completed",
        "erasure.rejected",
    ]


def test_partitions_retention_and_cleanup_are_those_of_the_design() -> None:
    """Inbound 6 partitions, commands 3 and a week; suppressions alone are compacted."""
    by_name = {topic.name: topic for topic in names.catalogue(["crm"])}
    assert [by_name[name].partitions for name in names.INBOUND] == [6, 6, 6]
    assert {by_name[name].retention_ms for name in names.INBOUND} == {7 * DAY_MS}
    assert by_name["erasure.commands.crm"].partitions == 3
    assert by_name["erasure.commands.crm"].retention_ms == 7 * DAY_MS
    compacted = [topic.name for topic in by_name.values() if topic.cleanup == "compact"]
    assert compacted == ["erasure.suppressions"]
    assert by_name["erasure.suppressions"].retention_ms is None


@pytest.mark.parametrize("store", ["", "Billing", "a b", "a.b", "æ", "a" * 101, "crm\n"])
def test_a_store_whose_name_does_not_fit_a_topic_is_refused(store: str) -> None:
    """A store's name that Kafka (or a shell) would stumble over never becomes a topic."""
    with pytest.raises(ValueError, match="rename the store"):
        names.commands(store)
