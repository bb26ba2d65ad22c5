"""JSON Schemas of the contract, for those who do not read Python."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from topics import messages, names
from topics.data import DATA

OUTBOUND: Final[Mapping[str, type[BaseModel]]] = MappingProxyType(
    {
        "erasure.commands": messages.Command,
        "erasure.sweeps": messages.SweepOrder,
        names.SUPPRESSIONS: messages.Suppression,
        names.RECEIPTS: messages.Receipts,
        names.COMPLETED: messages.Completion,
        f"{names.COMPLETED}.sweep": messages.SweepCompletion,
        names.REJECTED: messages.Rejection,
    }
)
"""Each message out, by the name of its schema. ``erasure.completed`` carries two."""


def schemas() -> dict[str, dict[str, object]]:
    """JSON Schemas by name: ``<event type>.data`` for each event in, the topic for messages out."""
    inbound = {f"{kind.value}.data": _schema(model) for kind, model in DATA.items()}
    return inbound | {name: _schema(model) for name, model in OUTBOUND.items()}


def write_schemas(directory: Path) -> list[Path]:
    """Write every schema as ``<name>.schema.json``; the directory is made if it is missing.

    Returns the files in order of their names. Raises OSError when they cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in sorted(schemas().items()):
        path = directory / f"{name}.schema.json"
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written


def _schema(model: type[BaseModel]) -> dict[str, object]:
    return {"$schema": GenerateJsonSchema.schema_dialect, **model.model_json_schema()}
