"""Settings come from variables or a file, are checked, and never show a secret."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from worker.settings import Settings, SettingsError, key_bytes, load, load_stores

KEY = base64.b64encode(bytes(32)).decode()
GOOD = {
    "ERASURE_POLICY": "policy.yaml",
    "ERASURE_LEDGER": "postgresql://worker:hunter2@db/ledger",
    "ERASURE_STORES__CRM": "postgresql://worker:hunter3@crm/crm",
    "ERASURE_PSEUDONYM_KEY": KEY,
    "ERASURE_PAYLOAD_KEYS": f'{{"k1": "{KEY}"}}',
    "ERASURE_PAYLOAD_KEY": "k1",
    "ERASURE_BROKER__BOOTSTRAP": "kafka:9092",
}


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*GOOD, "ERASURE_SETTINGS"):
        monkeypatch.delenv(name, raising=False)


def _set(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> None:
    for name, value in (GOOD | changes).items():
        if value is not None:
            monkeypatch.setenv(name, value)


def test_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nested settings and stores come from variables with two underscores."""
    _set(monkeypatch)
    settings = load()
    assert settings.broker.bootstrap == "kafka:9092"
    assert settings.stores["crm"].get_secret_value().endswith("@crm/crm")
    assert key_bytes(settings.pseudonym_key) == bytes(32)


def test_a_variable_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A TOML file gives what no variable says."""
    file = tmp_path / "erasure.toml"
    file.write_text('log_level = "debug"\nlog_format = "console"\n')
    _set(monkeypatch, ERASURE_SETTINGS=str(file), ERASURE_LOG_LEVEL="error")
    settings = load()
    assert (settings.log_level, settings.log_format) == ("error", "console")


@pytest.mark.parametrize("name", [n for n in GOOD if n != "ERASURE_BROKER__BOOTSTRAP"])
def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Each variable that is needed is named when it is not set."""
    _set(monkeypatch, **{name: None})
    with pytest.raises(SettingsError, match=name.partition("__")[0]):
        load()


@pytest.mark.parametrize("bad", ["hunter2", base64.b64encode(bytes(16)).decode()])
def test_a_bad_key_says_how_to_make_one_and_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    """A key of the wrong length is refused without being repeated."""
    _set(monkeypatch, ERASURE_PSEUDONYM_KEY=bad)
    with pytest.raises(SettingsError, match="openssl rand") as caught:
        load()
    assert bad not in str(caught.value)


def test_a_current_key_must_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key for new payloads is one of those given."""
    _set(monkeypatch, ERASURE_PAYLOAD_KEY="k2")
    with pytest.raises(SettingsError, match="payload_key"):
        load()


def test_a_file_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error in ERASURE_SETTINGS does not quietly leave the file out."""
    _set(monkeypatch, ERASURE_SETTINGS="/nowhere/erasure.toml")
    with pytest.raises(SettingsError, match="ERASURE_SETTINGS"):
        load()


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the repr nor the dump for people holds a password or a key."""
    _set(monkeypatch)
    settings: Settings = load()
    for shown in (repr(settings), settings.model_dump_json()):
        assert "hunter" not in shown
        assert KEY not in shown


def test_the_stores_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A look at the stores needs their URLs only, and minds no other setting, wrong or right."""
    monkeypatch.setenv("ERASURE_STORES__CRM", "sqlite:///crm.db")
    file = tmp_path / "erasure.toml"
    file.write_text('log_level = "no level"\n[stores]\nbilling = "sqlite:///billing.db"\n')
    monkeypatch.setenv("ERASURE_SETTINGS", str(file))
    assert sorted(load_stores().stores) == ["billing", "crm"]
    assert "crm.db" not in repr(load_stores())


def test_where_traces_go_is_a_secret_and_a_whole_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address without a path is refused; by default nothing is traced."""
    _set(monkeypatch)
    assert load().traces_endpoint is None
    _set(monkeypatch, ERASURE_TRACES_ENDPOINT="https://me:hunter4@collector/v1/traces")
    assert "hunter4" not in repr(load())
    for address in (
        "http://collector:4318",
        "http://collector:4318/",
        "collector/v1",
        "/v1/x",
        "",
        "http://[hunter4",
        "http://\u2100hunter4/v1",
    ):
        _set(monkeypatch, ERASURE_TRACES_ENDPOINT=address)
        with pytest.raises(SettingsError, match=r"ERASURE_TRACES_ENDPOINT.*/v1/traces") as told:
            load()
        assert "hunter4" not in str(told.value)
