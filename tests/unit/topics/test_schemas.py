"""JSON Schemas of the contract."""

from __future__ import annotations

import json
from pathlib import Path

from topics.events import EventKind
from topics.schemas import OUTBOUND, write_schemas


def test_a_schema_is_written_for_every_event_and_every_message_out(tmp_path: Path) -> None:
    """Each file is JSON, named after its event type or topic, in a directory made for it."""
    written = write_schemas(tmp_path / "schemas")
    stems = [path.name.removesuffix(".schema.json") for path in written]
    assert stems == sorted([*(f"{kind.value}.data" for kind in EventKind), *OUTBOUND])
    for path in written:
        schema = json.loads(path.read_text())
        assert schema["type"] == "object"
        assert schema["additionalProperties"] is False
        assert schema["description"]


def test_the_schema_of_a_withdrawal_says_what_the_reader_enforces(tmp_path: Path) -> None:
    """Subject and purposes are required and not empty; the seven channels are listed."""
    files = {path.name: path for path in write_schemas(tmp_path)}
    schema = json.loads(files["privacy.consent.withdrawn.v1.data.schema.json"].read_text())
    assert schema["required"] == ["subject", "purposes"]
    assert schema["properties"]["subject"]["minProperties"] == 1
    assert schema["properties"]["purposes"]["minItems"] == 1
    assert len(schema["$defs"]["Channel"]["enum"]) == 7


def test_the_schema_of_a_retention_trigger_knows_two_forms(tmp_path: Path) -> None:
    """A subject or a store, never both, and what limits the one does not go with the other."""
    files = {path.name: path for path in write_schemas(tmp_path)}
    schema = json.loads(files["privacy.retention.expired.v1.data.schema.json"].read_text())
    assert schema["oneOf"] == [{"required": ["subject"]}, {"required": ["store"]}]
    assert schema["dependentRequired"]["stores"] == ["subject"]
    assert {schema["dependentRequired"][name][0] for name in ("table", "ground", "as_of")} == {
        "store"
    }
