"""A policy whose parts do not fit together is refused, with the line and what to write."""

from __future__ import annotations

import pytest

from tests.unit.core.spoiling import GOOD, Mistake, assert_told, line_of, spoilt
from worker.policy_file import PolicyError, parse

MISTAKES: dict[str, Mistake] = {
    "no reference": (
        "reference: GDPR art. 6(1)(b); Vilkår og betingelser",
        'reference: ""',
        'reference: ""',
        "'reference': string should have at least 1 character",
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
}


@pytest.mark.parametrize("name", list(MISTAKES))
def test_each_mistake(name: str) -> None:
    """Each contradiction between parts is found in its line and told with what to write instead."""
    assert_told(MISTAKES[name])


@pytest.mark.parametrize("wish", ["hash", "pseudonymise", "encrypt", "sha256", "tokenise", "HMAC"])
@pytest.mark.parametrize("where", ["            action: erase", "overwrite: slettet"])
def test_a_hash_is_no_anonymisation(wish: str, where: str) -> None:
    """Asked to hash, encrypt or pseudonymise, the policy is refused with recital 26."""
    new = f"{where.split(':')[0]}: {wish}"
    (problem,) = spoilt(where, new)
    assert problem.line == line_of(GOOD.replace(where, new, 1), new)
    assert "never anonymisation (GDPR art. 4(5), recital 26)" in problem.what
    assert "action: anonymise with a fixed overwrite" in problem.what


def test_mistakes_of_meaning_together() -> None:
    """Mistakes between parts are all told at once too."""
    text = GOOD.replace("          fax:\n", "          customer_no:\n").replace(
        "    purpose: marketing\n", "    purpose: marketing\n    overriding: true\n"
    )
    with pytest.raises(PolicyError) as caught:
        parse(text.encode(), "p.yaml")
    assert len(caught.value.problems) == 2
