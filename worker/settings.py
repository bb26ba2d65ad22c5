"""Settings: environment variables ``ERASURE_…``, or a TOML file named by ``ERASURE_SETTINGS``.

A variable wins over the file. Secrets are never shown: not in ``repr``, not in an error.
"""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from worker.sealing import KEY_BYTES
from worker.web_settings import WebSettings

FILE_VARIABLE = "ERASURE_SETTINGS"


class SettingsError(Exception):
    """The settings cannot be used. The text says which and what to write, never a value."""


def _is_key(secret: SecretStr) -> SecretStr:
    """Accept 32 bytes in base64."""
    try:
        raw = base64.b64decode(secret.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise ValueError(
            f"must be {KEY_BYTES} random bytes in base64; make one with: openssl rand -base64 32"
        )
    return secret


def _is_whole_address(secret: SecretStr) -> SecretStr:
    """Accept an http(s) URL with its path: what is posted to a collector's root is lost."""
    try:
        url = urlsplit(secret.get_secret_value())
        whole = url.scheme in ("http", "https") and url.hostname and url.path not in ("", "/")
    except ValueError:
        whole = False  # Python's own words may repeat it.
    if not whole:
        raise ValueError("must be the whole address, as http://collector:4318/v1/traces")
    return secret


S = TypeVar("S", bound=BaseSettings)
Key = Annotated[SecretStr, AfterValidator(_is_key)]


class BrokerSettings(BaseModel):
    """The Kafka cluster, and what it can do."""

    model_config = ConfigDict(extra="forbid")

    bootstrap: str = "127.0.0.1:9092"
    """host:port, several with commas."""
    idempotent: bool = True
    """Whether it knows idempotent producers: Apache Kafka does, the embedded Tansu does not."""
    session_seconds: float = Field(default=10.0, ge=6.0)
    """How soon the partitions of a worker that died go to another one."""


class _Sourced(BaseSettings):
    """Where settings come from, and that none is ever shown."""

    model_config = SettingsConfigDict(
        env_prefix="ERASURE_",
        env_nested_delimiter="__",
        extra="forbid",
        hide_input_in_errors=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the protocol hands it in
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then variables, then the file."""
        file = os.environ.get(FILE_VARIABLE)
        toml = (TomlConfigSettingsSource(settings_cls, toml_file=file),) if file else ()
        return (init_settings, env_settings, *toml)


class StoreSettings(_Sourced):
    """The stores alone: all that a look at them needs."""

    model_config = SettingsConfigDict(extra="ignore")

    stores: dict[str, SecretStr] = Field(default_factory=dict)


class Settings(_Sourced):
    """Everything that differs between two places where the worker runs."""

    policy: Path
    """The policy file (YAML)."""
    ledger: SecretStr
    """URL of the ledger: ``postgresql://user:password@host/database`` or ``sqlite:///file``."""
    stores: dict[str, SecretStr]
    """URL of each store of the policy, by its name."""
    broker: BrokerSettings = BrokerSettings()
    pseudonym_key: Key
    """Key of the pseudonyms, 32 bytes in base64. Changing it forgets every suppression."""
    payload_keys: dict[str, Key] = Field(min_length=1)
    """Keys that encrypt payloads, by key id; old ones stay until nothing is sealed with them."""
    payload_key: str
    """Id of the key for new payloads."""
    web: WebSettings = WebSettings()
    traces_endpoint: Annotated[SecretStr, AfterValidator(_is_whole_address)] | None = None
    """Where traces are sent, by OTLP over HTTP; None: nothing is traced."""
    log_format: Literal["console", "json"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    data_dir: Path = Path(".erasure")
    """Where Faust keeps its few files."""
    redrive_seconds: float = Field(default=5.0, gt=0)
    """How often one worker looks in the ledger for what does not move."""

    @model_validator(mode="after")
    def _current_key_is_known(self) -> Settings:
        if self.payload_key not in self.payload_keys:
            raise ValueError("payload_key must be one of the ids in payload_keys")
        return self


def load(**given: Any) -> Settings:
    """Read the settings. Raises SettingsError that names each variable and what it should be."""
    return _load(Settings, **given)


def load_stores() -> StoreSettings:
    """Read where the stores are, and nothing else. Raises SettingsError as :func:`load` does."""
    return _load(StoreSettings)


def _load(kind: type[S], **given: Any) -> S:
    file = os.environ.get(FILE_VARIABLE)
    if file and not Path(file).is_file():
        raise SettingsError(f"{FILE_VARIABLE} names a file that is not there: {file}")
    # The variable that names the file is not itself a setting.
    try:
        return kind(**given)
    except ValidationError as error:
        lines = [_line(problem) for problem in error.errors(include_input=False)]
        raise SettingsError("\n".join(lines)) from None
    except ValueError as error:
        raise SettingsError(f"the settings cannot be read: {type(error).__name__}") from None


def _line(problem: Any) -> str:
    name = "ERASURE_" + "__".join(str(part).upper() for part in problem["loc"])
    what = "is not set" if problem["type"] == "missing" else problem["msg"]
    return f"{name if problem['loc'] else 'settings'}: {what}"


def key_bytes(secret: SecretStr) -> bytes:
    """The 32 bytes of a key that was checked when the settings were read."""
    return base64.b64decode(secret.get_secret_value())
