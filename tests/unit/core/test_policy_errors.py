"""A policy with a mistake is refused, with the line, what is wrong and what to write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.core.spoiling import GOOD, Mistake, assert_told, line_of
from worker.policy_file import MAX_BYTES, PolicyError, load, parse

MISTAKES: dict[str, Mistake] = {
    "ground": (
        "grounds: [contact-consent, service-interest]",
        "grounds: [contact-consnt, service-interest]",
        "contact-consnt",
        "no ground is called 'contact-consnt'; did you mean 'contact-consent'?",
    ),
    "purpose": (
        "purpose: survey",
        "purpose: surveys",
        "purpose: surveys",
        "no purpose is called 'surveys'; did you mean 'survey'?",
    ),
    "identifier": (
        "          phone: phone",
        "          fone: phone",
        "fone",
        "no identifier is called 'fone'; did you mean 'phone'?",
    ),
    "category": (
        "category: fax",
        "category: vax",
        "category: vax",
        "'vax' is no value of 'category'; did you mean 'fax'?",
    ),
    "connector": (
        "connector: newsletter",
        "connector: newsleter",
        "connector: newsleter",
        "'newsleter' is no value of 'connector'; did you mean 'newsletter'?",
    ),
    "table": (
        "parent: {table: invoice,",
        "parent: {table: invoise,",
        "invoise",
        "no table of this store is called 'invoise'; did you mean 'invoice'?",
    ),
    "anchor name": (
        "contact-date: {column",
        "contact-dates: {column",
        "contact-dates",
        "no anchor of a ground is called 'contact-dates'; did you mean 'contact-date'?",
    ),
    "ground kind": (
        "kind: contract",
        "kind: contrakt",
        "kind: contrakt",
        "'contrakt' is no value of 'kind'; did you mean 'contract'?",
    ),
    "null anchor": (
        '"null": running}',
        '"null": runing}',
        "contract-end: {column: contract_ended_on",
        "'runing' is no value of 'null'; did you mean 'running'?",
    ),
    "key word": (
        "    rounding: end-of-fiscal-year",
        "    roundign: end-of-fiscal-year",
        "roundign",
        "unknown key 'roundign'; did you mean 'rounding'?",
    ),
    "key word of a table": (
        "        row: stays",
        "        rows: stays",
        "rows: stays",
        "unknown key 'rows'; did you mean 'row'?",
    ),
    "key word of an identifier": (
        "email: {column: email, ignore_case: true}",
        "email: {column: email, ignorecase: true}",
        "ignorecase",
        "unknown key 'ignorecase'; did you mean 'ignore_case'?",
    ),
    "missing": (
        "company: Nordlys Handel AS\n",
        "",
        "# The privacy policy",
        "'company' is missing",
    ),
    "missing in a table": (
        "        key: [contact_id]\n",
        "",
        "      contact_log:\n",
        "'key' is missing in 'contact_log'",
    ),
    "country": ('country: "NO"', "country: NX", "country: NX", "no calendar of public holidays"),
    "time zone": (
        "Europe/Oslo ",
        "Europe/Olso ",
        "Europe/Olso",
        "no time zone is called 'Europe/Olso'; did you mean 'Europe/Oslo'?",
    ),
    "truth value": ("strong: false", "strong: no", "strong: no", "'strong' needs true or false"),
    "text": ('version: "2026-11-25"', "version: 7", "version: 7", "put it between quotes"),
    "list": ("key: [contact_id]", "key: contact_id", "key: contact_id", "'key' needs a list"),
    "keys": ("{table: invoice, c", "[invoice] # c", "[invoice] # c", "'parent' needs keys"),
    "store named like a part": (
        "  newsletter:\n    connector: newsletter",
        "  intake:\n    connector: newsletter",
        "  intake:\n    connector: newsletter",
        "'intake' is a part of the worker itself",
    ),
    "name of a ground": (
        "  survey-consent:",
        "  Survey Consent:",
        "  Survey Consent:",
        "'Survey Consent' cannot be a name here",
    ),
    "key twice": (
        "        row: stays\n",
        "        row: stays\n        row: goes\n",
        "        row: goes",
        "'row' stands twice (first in line",
    ),
    "alias": ("key: [contact_id]", "key: &k [contact_id]\n        x: *k", "key: &k", "an alias"),
    "merge": ("        row: stays\n", "        <<: {}\n", "        <<: {}", "a merge (<<)"),
    "tag": ("category: fax", "category: !x fax", "category: !x fax", "no tags here"),
    "not YAML": (
        "key: [contact_id]",
        "key: [contact_id",
        "anchors:\n          contact-d",
        "not YAML",
    ),
}


@pytest.mark.parametrize("name", list(MISTAKES))
def test_each_mistake(name: str) -> None:
    """Every kind of mistake is found in its line and told with what to write instead."""
    assert_told(MISTAKES[name])


def test_several_at_once() -> None:
    """Mistakes of different sorts are told together, in the order of the file."""
    text = (
        GOOD.replace("Europe/Oslo ", "Europe/Olso ")
        .replace("purpose: survey\n", "purpose: surveys\n")
        .replace("period: 5y", "period: 5x")
        .replace("category: fax", "category: facs")
        .replace("        row: stays\n", "        row: stays\n        row: stays\n")
    )
    with pytest.raises(PolicyError) as caught:
        parse(text.encode(), "p.yaml")
    said = str(caught.value).splitlines()
    assert [re.sub(r"^p\.yaml:\d+: ", "", line)[:14] for line in said] == [
        "no time zone i",
        "no purpose is ",
        "'5x' is no per",
        "'facs' is no v",
        "'row' stands t",
    ]
    numbers = [int(line.split(":")[1]) for line in said]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "'stores' is missing"),
        (b"- a\n- b\n", "needs keys with values"),
        (b"a: 1\n---\nb: 2\n", "single document"),
        (b"a: \x00", "not YAML that can be read"),
        (b"a: " + b"[" * 3000, "not YAML"),
        (b"a: " + b"[" * 60 + b"]" * 60, "nested too deep"),
        (b"a: &r [*r]", "an alias"),
        (b"? [a]\n: b\n", "a key is a plain word"),
        (b"a: \xff", "not UTF-8"),
        (b"#" * (MAX_BYTES + 1), "bytes"),
    ],
)
def test_what_is_no_policy(content: bytes, says: str) -> None:
    """Whatever the file holds, the answer is a message and not a crash."""
    with pytest.raises(PolicyError, match=r"^p\.yaml:\d+: ") as caught:
        parse(content, "p.yaml")
    assert says in str(caught.value)


def test_message_names_the_file(tmp_path: Path) -> None:
    """Each line of the message begins with file and line, as editors understand it."""
    file = tmp_path / "policy.yaml"
    file.write_text(GOOD.replace("category: fax", "category: facs"), encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        load(file)
    assert str(caught.value).startswith(f"{file}:{line_of(GOOD, 'category: fax')}: ")
