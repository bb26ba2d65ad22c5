"""A policy with a mistake is refused, with the line, what is wrong and what to write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.core.policies import NORDLYS
from worker.policy_file import MAX_BYTES, PolicyError, Problem, load, parse

GOOD = NORDLYS.read_text(encoding="utf-8")


def spoilt(old: str, new: str) -> tuple[Problem, ...]:
    """Replace the first ``old`` in the demo company's policy, and return what is found wrong."""
    assert old in GOOD
    with pytest.raises(PolicyError) as caught:
        parse(GOOD.replace(old, new, 1).encode(), "p.yaml")
    return caught.value.problems


def line_of(text: str, part: str) -> int:
    """Return the number of the line in which the first ``part`` begins."""
    return text.count("\n", 0, text.index(part)) + 1


# What to replace, with what, what in the new text the message must point at, what it must say.
MISTAKES = {
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
    "consent without purpose": (
        "    purpose: survey\n",
        "",
        "survey-consent:",
        "a consent is given for a purpose; add purpose: <name>",
    ),
    "period without anchor": (
        "    anchor: document-date\n    period: 5y\n    rounding: end-of-fiscal-year\n",
        "    period: 5y\n",
        "bookkeeping:",
        "period 5y without an anchor never begins; add anchor: <name>",
    ),
    "anchor without period": (
        "    period: 2y\n",
        "",
        "service-interest:",
        "anchor 'contact-date' without a period; add period: 0d, 90d, 42m, 5y …",
    ),
    "period": (
        "period: 5y",
        "period: 5 years",
        "period: 5 years",
        "'5 years' is no period; write for example 5y, 42m, 90d or 0d",
    ),
    "period without unit": (
        "period: 5y",
        "period: 5",
        "period: 5",
        "a period is a number with a unit; write for example 5y, 42m, 90d or 0d",
    ),
    "rounding without anchor": (
        "    purpose: survey\n",
        "    purpose: survey\n    rounding: end-of-year\n",
        "survey-consent:",
        "rounding moves an anchor, but none is declared; add anchor and period",
    ),
    "overriding consent": (
        "    purpose: survey\n",
        "    purpose: survey\n    overriding: true\n",
        "survey-consent:",
        "overriding is said of a legitimate-interest, not of a consent",
    ),
    "overriding marketing": (
        "    purpose: marketing\n",
        "    purpose: marketing\n    overriding: true\n",
        "overriding: true",
        "write overriding: false",
    ),
    "marketing on a contract": (
        "    kind: contract\n",
        "    kind: contract\n    purpose: marketing\n",
        "    purpose: marketing",
        "write kind: consent or kind: legitimate-interest",
    ),
    "anchor not mapped": (
        '        anchors:\n          contact-date: {column: contacted_on, "null": unknown}\n',
        "",
        "grounds: [contact-consent, service-interest]",
        'add under anchors: contact-date: {column: <date column>, "null": running or unknown}',
    ),
    "anonymise without overwrite": (
        "            overwrite: anonym\n",
        "",
        "respondent_name:",
        "action: anonymise leaves a fixed value; add overwrite: <value>",
    ),
    "erase with overwrite": (
        "            category: fax\n",
        "            category: fax\n            overwrite: x\n",
        "fax:\n",
        "action: erase leaves nothing; drop overwrite, or write action: anonymise",
    ),
    "overwrite of another type": (
        "overwrite: anonym",
        "overwrite: [anonym]",
        "overwrite: [anonym]",
        "overwrite is a fixed text or a whole number",
    ),
    "overwrite by a truth value": (
        "overwrite: anonym",
        "overwrite: true",
        "overwrite: true",
        "overwrite is a fixed text or a whole number",
    ),
    "key as field": (
        "          fax:\n",
        "          customer_no:\n",
        "          customer_no:\n",
        "'customer_no' is the key: overwritten, the row could not be found or dated again",
    ),
    "anchor as field": (
        "          fax:\n",
        "          contract_ended_on:\n",
        "          contract_ended_on:\n",
        "'contract_ended_on' is the anchor",
    ),
    "children's anchor as field": (
        "issued_on, of: parent",
        "buyer_name, of: parent",
        "          buyer_name:\n",
        "'buyer_name' is the children's anchor",
    ),
    "link as field": (
        "          comment:\n",
        "          customer_no:\n",
        "          customer_no:\n            category: voluntary",
        "'customer_no' is the link to the parent",
    ),
    "two roots": (
        "        parent: {table: account, columns: {account_no: account_no}}\n",
        "",
        "      invoice:\n",
        "'invoice' has no parent, nor has 'account': a store has one root",
    ),
    "no root": (
        "        rows_per_person: many\n",
        "        parent: {table: subscription_event, columns: {id: id}}\n",
        "    tables:\n      subscriber:",
        "no table without a parent",
    ),
    "child before parent": (
        "parent: {table: account, columns: {account_no: account_no}}",
        "parent: {table: invoice_line, columns: {account_no: account_no}}",
        "      invoice:\n",
        "'invoice' hangs below 'invoice_line', which is declared after it",
    ),
    "own parent": (
        "parent: {table: account, columns: {account_no: account_no}}",
        "parent: {table: invoice, columns: {account_no: account_no}}",
        "      invoice:\n",
        "'invoice' hangs below itself",
    ),
    "unreachable": (
        "        identifiers:\n          customer_id: customer_no\n        anchors:",
        "        anchors:",
        "      account:\n",
        "no event can reach this store: its root declares no identifiers",
    ),
    "identifiers of a child": (
        "        key: [contact_id]\n",
        "        key: [contact_id]\n        identifiers: {phone: caller}\n",
        "identifiers: {phone: caller}",
        "only the root is looked up; move the identifiers there",
    ),
    "many rows of a child": (
        "        key: [contact_id]\n",
        "        key: [contact_id]\n        rows_per_person: many\n",
        "rows_per_person: many\n        anchors:\n          contact-date",
        "only the root says this",
    ),
    "field without grounds": (
        "grounds: [contact-consent, service-interest]",
        "grounds: []",
        "grounds: []",
        "'grounds' is empty; it needs at least one entry",
    ),
    "ground twice": (
        "grounds: [contact-consent, service-interest]",
        "grounds: [contact-consent, contact-consent]",
        "grounds: [contact-consent, contact-consent]",
        "a ground stands twice; name it once",
    ),
    "parent's anchor of the root": (
        '{column: closed_on, "null": running}',
        '{column: closed_on, of: parent, "null": running}',
        "closed_on, of: parent",
        "the root has no parent; write of: row",
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
    old, new, marked, says = MISTAKES[name]
    problems = spoilt(old, new)
    lines = [problem.line for problem in problems if says in problem.what]
    assert line_of(GOOD.replace(old, new, 1), marked) in lines, problems


@pytest.mark.parametrize("wish", ["hash", "pseudonymise", "encrypt", "sha256", "tokenise", "HMAC"])
@pytest.mark.parametrize("where", ["            action: erase", "overwrite: slettet"])
def test_a_hash_is_no_anonymisation(wish: str, where: str) -> None:
    """Asked to hash, encrypt or pseudonymise, the policy is refused with recital 26."""
    new = f"{where.split(':')[0]}: {wish}"
    (problem,) = spoilt(where, new)
    assert problem.line == line_of(GOOD.replace(where, new, 1), new)
    assert "never anonymisation (GDPR art. 4(5), recital 26)" in problem.what
    assert "action: anonymise with a fixed overwrite" in problem.what


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


def test_mistakes_of_meaning_together() -> None:
    """Mistakes between parts are all told at once too."""
    text = GOOD.replace("          fax:\n", "          customer_no:\n").replace(
        "    purpose: marketing\n", "    purpose: marketing\n    overriding: true\n"
    )
    with pytest.raises(PolicyError) as caught:
        parse(text.encode(), "p.yaml")
    assert len(caught.value.problems) == 2


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
