"""A small policy that tests bend: two stores, every kind of ground."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from worker.core.policy import Policy

NORDLYS = Path(__file__).parents[3] / "deploy" / "policy" / "nordlys.yaml"


def declared() -> dict[str, Any]:
    """Return the policy's plain data, fresh for each test to change."""
    return {
        "version": "test-1",
        "company": "Example AS",
        "country": "NO",
        "time_zone": "Europe/Oslo",
        "identifiers": {
            "customer_id": {"form": "text", "strong": True},
            "email": {"form": "email", "strong": True},
            "phone": {"form": "phone", "strong": False},
        },
        "purposes": {
            "news": {"direct_marketing": True},
            "offers": {"direct_marketing": True},
            "service": {},
            "fraud": {},
            "survey": {},
        },
        "grounds": {
            "news-consent": {"kind": "consent", "purpose": "news", "reference": "a"},
            "survey-consent": {"kind": "consent", "purpose": "survey", "reference": "a"},
            "offers-interest": {
                "kind": "legitimate-interest",
                "purpose": "offers",
                "reference": "f",
            },
            "service-interest": {
                "kind": "legitimate-interest",
                "purpose": "service",
                "reference": "f",
            },
            "fraud-interest": {
                "kind": "legitimate-interest",
                "purpose": "fraud",
                "reference": "f",
                "overriding": True,
            },
            "contract": {
                "kind": "contract",
                "reference": "b",
                "anchor": "contract-end",
                "period": "0d",
            },
            "books": {
                "kind": "legal-obligation",
                "reference": "c",
                "anchor": "document-date",
                "period": "5y",
                "rounding": "end-of-year",
            },
        },
        "stores": {"crm": _crm(), "letters": _letters()},
    }


def small() -> Policy:
    """Return the small policy."""
    return Policy.model_validate(declared())


def _crm() -> dict[str, Any]:
    return {
        "connector": "crm",
        "tables": {
            "person": {
                "key": ["no"],
                "identifiers": {
                    "customer_id": "no",
                    "email": {"column": "email", "ignore_case": True},
                    "phone": "phone",
                },
                "anchors": {"contract-end": {"column": "ended", "null": "running"}},
                "fields": {
                    "name": {
                        "category": "name",
                        "grounds": ["contract"],
                        "action": "anonymise",
                        "overwrite": "slettet",
                    },
                    "email": {
                        "category": "email",
                        "grounds": ["contract", "news-consent"],
                        "action": "erase",
                    },
                    "phone": {
                        "category": "phone",
                        "grounds": ["news-consent", "contract"],
                        "action": "erase",
                    },
                    "notes": {
                        "category": "voluntary",
                        "grounds": ["survey-consent", "service-interest"],
                        "action": "erase",
                    },
                },
            },
            "bill": {
                "parent": {"table": "person", "columns": {"person_no": "no"}},
                "key": ["bill_no"],
                "anchors": {
                    "document-date": {"column": "issued", "null": "unknown"},
                    "contract-end": {"column": "ended", "null": "running", "of": "parent"},
                },
                "fields": {
                    "buyer": {
                        "category": "name",
                        "grounds": ["books", "contract"],
                        "action": "anonymise",
                        "overwrite": "slettet",
                    },
                    "remark": {
                        "category": "voluntary",
                        "grounds": ["fraud-interest", "books"],
                        "action": "erase",
                    },
                },
            },
        },
    }


def _letters() -> dict[str, Any]:
    return {
        "connector": "newsletter",
        "tables": {
            "subscriber": {
                "key": ["id"],
                "rows_per_person": "many",
                "identifiers": {"email": "email"},
                "fields": {
                    "email": {
                        "category": "email",
                        "grounds": ["news-consent", "offers-interest"],
                        "action": "erase",
                    },
                },
            },
        },
    }
