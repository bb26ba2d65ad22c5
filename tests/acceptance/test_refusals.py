"""What cannot be done is said in a few lines, with the exit code that the help names."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest

from tests.acceptance.installation import (
    POLICY,
    SCHEMAS,
    Installation,
    event,
    make_sqlite,
    wait_for,
)
from worker.embedded.child import free_port

SECRET = "hemmelig-passord"
OK, WRONG, USAGE, TRY_AGAIN = 0, 1, 2, 75


def test_the_version_needs_no_settings(installation: Installation) -> None:
    """``--version`` works anywhere, with no setting at all."""
    answer = installation.installed("--version", env=dict.fromkeys(installation.env, ""))
    assert answer.code == OK
    assert answer.out.startswith("erasure-worker ")


@pytest.mark.parametrize("command", [("run",), ("publish", "-")], ids=str)
def test_a_missing_setting_is_named(installation: Installation, command: tuple[str, ...]) -> None:
    """Without a setting every command ends with 2 and names the variable; no traceback."""
    answer = installation.erasure(*command, given="{}", env={"ERASURE_PSEUDONYM_KEY": ""})
    assert answer.code == USAGE
    assert "ERASURE_PSEUDONYM_KEY: is not set" in answer.err
    assert "Traceback" not in answer.err
    assert answer.out == ""


def test_a_bad_secret_is_named_and_not_shown(installation: Installation) -> None:
    """A key that is none is told by its variable's name; its value is nowhere in the output."""
    answer = installation.erasure("cases", env={"ERASURE_PSEUDONYM_KEY": SECRET})
    assert answer.code == USAGE
    assert "ERASURE_PSEUDONYM_KEY" in answer.err
    assert "openssl rand" in answer.err
    assert SECRET not in answer.out + answer.err


def test_an_address_for_traces_is_a_whole_one(installation: Installation) -> None:
    """A collector's root takes no traces: the variable is named with an example, not its value."""
    said = f"http://worker:{SECRET}@collector:4318"
    answer = installation.erasure("run", env={"ERASURE_TRACES_ENDPOINT": said})
    assert answer.code == USAGE
    assert "ERASURE_TRACES_ENDPOINT" in answer.err
    assert "/v1/traces" in answer.err
    assert SECRET not in answer.out + answer.err


def test_traces_without_what_sends_them(installation: Installation, tmp_path: Path) -> None:
    """``run`` and ``check`` say what to install; who only looks needs no traces."""
    instead = tmp_path / "opentelemetry"
    instead.mkdir()
    (instead / "__init__.py").touch()
    env = {
        "ERASURE_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces",
        "PYTHONPATH": str(tmp_path),
    }
    run = installation.installed("run", env=env)
    assert run.code == USAGE
    assert "pip install 'erasure-worker[tracing]'" in run.err
    assert "Traceback" not in run.err
    check = installation.installed("check", env=env)
    assert check.code == WRONG
    assert "erasure-worker[tracing]" in " ".join(check.out.split())
    assert installation.installed("cases", env=env).code == OK


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (f"mysql://worker:{SECRET}@127.0.0.1/ledger", USAGE),
        (f"no url {SECRET}", USAGE),
        (f"postgresql://worker:{SECRET}@127.0.0.1:1/ledger", TRY_AGAIN),
    ],
    ids=["another database", "no URL", "nobody there"],
)
def test_a_ledger_that_cannot_be_used(installation: Installation, url: str, code: int) -> None:
    """A wrong ledger URL is a setting (2), an absent ledger is to be tried again (75)."""
    answer = installation.erasure("cases", env={"ERASURE_LEDGER": url})
    assert answer.code == code
    assert "ERASURE_LEDGER" in answer.err
    assert len(answer.err.splitlines()) == 1
    assert SECRET not in answer.out + answer.err


def test_an_empty_ledger_is_not_used(installation: Installation, tmp_path: Path) -> None:
    """A ledger without its schema is refused with the command that makes it, which then works."""
    empty = {"ERASURE_LEDGER": f"sqlite:///{tmp_path / 'ledger.db'}"}
    for command in (("run",), ("cases",)):
        answer = installation.erasure(*command, env=empty)
        assert answer.code == WRONG
        assert "erasure ledger upgrade" in answer.err
    status = installation.erasure("ledger", "status", "--json", env=empty)
    assert (status.code, status.json["up_to_date"]) == (WRONG, False)
    assert not (tmp_path / "ledger.db").exists()
    assert installation.erasure("ledger", "upgrade", env=empty).code == OK
    assert installation.erasure("cases", "--json", env=empty).json == {"counts": {}, "cases": []}


def test_a_part_that_is_none(installation: Installation) -> None:
    """``run --only`` with an unknown name says which parts there are."""
    answer = installation.erasure("run", "--only", "crn")
    assert answer.code == USAGE
    assert "billing, crm, newsletter" in answer.err


def test_a_case_that_is_none(installation: Installation) -> None:
    """An unknown case is 1, what is no id at all is 2; neither is a traceback."""
    unknown = installation.erasure("case", str(uuid4()))
    assert (unknown.code, unknown.out) == (WRONG, "")
    assert "erasure cases" in unknown.err
    assert installation.erasure("case", "resme").code == USAGE
    resumed = installation.erasure("case", "resume", str(uuid4()), "--key", "crm=1")
    assert (resumed.code, "Traceback" in resumed.err) == (WRONG, False)
    assert installation.erasure("dead-letters", "retry", "4711").code == WRONG


def test_a_policy_with_mistakes(installation: Installation, tmp_path: Path) -> None:
    """``policy check`` tells every mistake with its line; the sound policy passes."""
    good = installation.installed("policy", "check", str(POLICY))
    assert (good.code, good.err) == (OK, "")
    bad = tmp_path / "policy.yaml"
    bad.write_text(POLICY.read_text().replace("kind: consent\n", "kind: konsent\n", 1))
    answer = installation.erasure("policy", "check", str(bad))
    assert answer.code == USAGE
    assert f"{bad}:" in answer.out
    assert "konsent" in answer.out
    assert installation.erasure("run", env={"ERASURE_POLICY": str(bad)}).code == USAGE
    missing = installation.erasure("topics", "list", env={"ERASURE_POLICY": "none.yaml"})
    assert missing.code == USAGE
    assert "ERASURE_POLICY: none.yaml cannot be read" in missing.err


@pytest.mark.parametrize("mode", ["structured", "binary"])
def test_one_bad_event_holds_back_the_whole_file(
    installation: Installation, tmp_path: Path, mode: str
) -> None:
    """A bad event among good ones: 2, its line, why, nothing of its content, nothing published."""
    good = event("erasure.requested", {"email": f"god-{uuid4().hex}@example.no"})
    bad = event("erasure.requested", {"email": "merket-uten-krøllalfa"})
    odd = event("consent.withdrawn", {"email": "a@example.no"}, purposes=["merket-formål"])
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join([json.dumps(good), "", json.dumps(bad), "{", json.dumps(odd)]))
    answer = installation.erasure("publish", str(file), "--mode", mode)
    assert answer.code == USAGE
    assert f"{file}:3: bad-identifier: data.subject.email" in answer.err
    assert f"{file}:4: not JSON" in answer.err
    assert f"{file}:5: unknown-purpose" in answer.err
    assert f"{file}:1:" not in answer.err
    assert "nothing was published" in answer.err
    assert "merket" not in answer.out + answer.err
    assert str(good["id"]) not in installation.inbound()


def test_a_dry_run_publishes_nothing(installation: Installation) -> None:
    """``--dry-run`` says what would go where, and no topic holds it afterwards."""
    good = event("erasure.requested", {"email": f"god-{uuid4().hex}@example.no"})
    answer = installation.erasure("publish", "-", "--dry-run", given=json.dumps([good, good]))
    assert (answer.code, answer.err) == (OK, "")
    assert answer.out == "2 events would be published: 2 to privacy.requests\n"
    assert str(good["id"]) not in installation.inbound()


def test_publishing_without_a_broker(installation: Installation) -> None:
    """When nobody listens at the broker's address, publishing ends with 75 and says so."""
    good = event("erasure.requested", {"email": "god@example.no"})
    away = {"ERASURE_BROKER__BOOTSTRAP": f"127.0.0.1:{free_port()}"}
    answer = installation.installed("publish", "-", given=json.dumps(good), env=away)
    assert answer.code == TRY_AGAIN
    assert "ERASURE_BROKER__BOOTSTRAP" in answer.err
    assert len(answer.err.splitlines()) == 1


def test_check_finds_nothing_on_a_sound_installation(installation: Installation) -> None:
    """``check`` looks at every part and ends with 0 when each is as it should be."""
    answer = installation.erasure("check", "--json")
    assert answer.code == OK, answer.out
    assert answer.err == ""
    levels = {found["part"]: found["level"] for found in answer.json["findings"]}
    assert answer.json["ok"] is True
    assert levels.keys() == {
        "settings", "policy", "broker", "topics", "ledger",
        "store billing", "store crm", "store newsletter",
    }  # fmt: skip
    assert not {"error", "skipped"} & set(levels.values())


def test_check_looks_at_everything_although_some_is_wrong(
    installation: Installation, tmp_path: Path
) -> None:
    """No broker, a store without a table, one refused, one unreachable: all four are told."""
    script = (SCHEMAS / "newsletter.sqlite.sql").read_text()
    half = tmp_path / "newsletter.db"
    make_sqlite(half, script.split("CREATE TABLE subscription_event")[0])
    answer = installation.erasure(
        "check",
        "--json",
        env={
            "ERASURE_BROKER__BOOTSTRAP": f"127.0.0.1:{free_port()}",
            "ERASURE_STORES__NEWSLETTER": f"sqlite:///{half}",
            "ERASURE_STORES__CRM": installation.postgres.url("no_such_database", "postgresql"),
            "ERASURE_STORES__BILLING": f"postgresql://worker:{SECRET}@127.0.0.1:1/billing",
        },
    )
    assert answer.code == WRONG
    assert answer.json["ok"] is False
    found = {one["part"]: one for one in answer.json["findings"] if one["level"] != "warning"}
    assert found["policy"]["level"] == found["ledger"]["level"] == "ok"
    assert found["broker"]["level"] == "error"
    assert "ERASURE_BROKER__BOOTSTRAP" in found["broker"]["todo"]
    assert found["topics"]["level"] == "skipped"
    assert found["store newsletter"]["level"] == "error"
    assert "subscription_event" in found["store newsletter"]["what"]
    assert found["store crm"]["level"] == "error"
    assert "ERASURE_STORES__CRM" in found["store crm"]["todo"]
    assert found["store billing"]["level"] == "error"
    assert SECRET not in answer.out + answer.err


def test_check_says_which_settings_are_missing(installation: Installation) -> None:
    """With settings missing ``check`` names all of them, and that it looked at nothing else."""
    answer = installation.erasure(
        "check", "--json", env={"ERASURE_LEDGER": "", "ERASURE_PAYLOAD_KEY": ""}
    )
    assert answer.code == WRONG
    errors = [one["what"] for one in answer.json["findings"] if one["level"] == "error"]
    assert any("ERASURE_LEDGER" in what for what in errors)
    assert any("ERASURE_PAYLOAD_KEY" in what for what in errors)


def test_the_topics_are_listed_and_compared(installation: Installation, tmp_path: Path) -> None:
    """``topics`` lists what is there, makes nothing twice, and writes the schemas."""
    listed = installation.erasure("topics", "list", "--json").json
    assert all(topic["found"] == topic["partitions"] for topic in listed)
    assert "erasure.commands.crm" in {topic["name"] for topic in listed}
    again = installation.erasure("topics", "create")
    assert again.out.count("existed") == len(listed)
    assert installation.erasure("topics", "check", "--json").json["ok"] is True
    written = installation.erasure("topics", "schemas", str(tmp_path / "schemas"))
    names = {Path(line).name for line in written.out.splitlines()}
    assert "privacy.erasure.requested.v1.data.schema.json" in names
    assert all((tmp_path / "schemas" / name).is_file() for name in names)


def test_a_version_of_the_policy_keeps_its_text(installation: Installation, tmp_path: Path) -> None:
    """A changed policy under an old version does not run; the old text can be had to the letter."""
    with installation.running("--only", "crm") as worker:
        wait_for(lambda: "started" in worker.log.read_text(), "a start")
        assert worker.stop() == OK
    changed = tmp_path / "changed.yaml"
    changed.write_text(POLICY.read_text() + "# one more line\n")
    answer = installation.erasure("run", env={"ERASURE_POLICY": str(changed)})
    assert answer.code == USAGE
    assert "raise version:" in answer.err
    (known,) = installation.erasure("policy", "list", "--json").json
    assert installation.erasure("policy", "show", known["version"]).out == POLICY.read_text()
    assert installation.erasure("policy", "show", "none").code == WRONG


def test_a_hold_is_placed_listed_and_released(installation: Installation) -> None:
    """A hold names who, why and until when; it is listed without the person, and released once."""
    order = ("--by", "Kari Nordmann", "--reason", "a claim", "--review", "2026-01-01")
    assert installation.erasure("hold", "place", *order).code == USAGE
    person = ("--subject", "customer_id=HELD-7")
    assert installation.erasure("hold", "place", *order, *person).code == OK
    listed = installation.erasure("hold", "list", "--json")
    (hold,) = listed.json
    assert (hold["by"], hold["reason"], hold["review_on"]) == order[1::2]
    assert "HELD-7" not in listed.out
    assert "overdue" in installation.erasure("hold", "list").out
    assert "past their review date" in installation.erasure("check").out
    release = ("hold", "release", str(hold["id"]), "--by", "Kari Nordmann")
    assert [installation.erasure(*release).code for _ in range(2)] == [OK, WRONG]


def test_a_policy_with_a_hole(installation: Installation, tmp_path: Path) -> None:
    """A hole is told by ``policy check`` in every format, and such a policy does not run."""
    file = tmp_path / "hole.yaml"
    file.write_text(POLICY.read_text().replace("    evidence: ledger", "    # evidence:", 1))
    told = installation.erasure("policy", "check", str(file))
    assert told.code == WRONG
    assert "newsletter-consent" in told.out
    (finding,) = installation.erasure("policy", "check", str(file), "--json").json["findings"]
    assert "add evidence: ledger" in finding["what"]
    annotated = installation.erasure("policy", "check", str(file), "--format", "github")
    assert annotated.out.startswith("::error file=")
    assert f"line={finding['line']}" in annotated.out
    assert installation.erasure("run", env={"ERASURE_POLICY": str(file)}).code == USAGE
    assert installation.erasure("policy", "check", str(POLICY)).code == OK


def test_a_policy_against_its_running_stores(installation: Installation, tmp_path: Path) -> None:
    """``--live``: clean; then a new column fails with its line; a store that is away is told."""
    sound = installation.erasure("policy", "check", str(POLICY), "--live")
    assert (sound.code, sound.err) == (OK, ""), sound.out
    assert "warning" not in sound.out
    installation.sql("crm", "ALTER TABLE crm.contact_log ADD COLUMN faks2 text")
    away = {"ERASURE_STORES__BILLING": f"postgresql://worker:{SECRET}@127.0.0.1:1/billing"}
    told = installation.erasure("policy", "check", str(POLICY), "--live", "--json", env=away)
    running = installation.erasure("check", "--json")
    installation.sql("crm", "ALTER TABLE crm.contact_log DROP COLUMN faks2")
    assert told.code == WRONG
    column, store = told.json["findings"]
    lines = POLICY.read_text().splitlines()
    assert "crm.contact_log.faks2" in column["what"]
    assert lines[column["line"] - 1] == "        fields:"
    assert column["write"] == (
        "        fields:\n          faks2: {category: fax, grounds: [contact-consent, "
        "service-interest], action: erase, guess: true}"
    )
    assert "'billing' does not answer" in store["what"]
    assert lines[store["line"] - 1] == "  billing:"
    assert SECRET not in told.out + told.err
    assert running.code == OK
    (warned,) = [one for one in running.json["findings"] if "faks2" in one["what"]]
    assert (warned["part"], warned["level"]) == ("store crm", "warning")
    bare = dict.fromkeys(installation.env, "") | {
        name: url for name, url in installation.env.items() if "STORES" in name
    }
    alone = installation.erasure(
        "policy", "check", str(POLICY), "--live", "--format", "github", env=bare
    )
    assert alone.code == OK, alone.out
