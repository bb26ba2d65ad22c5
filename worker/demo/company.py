"""Where the demo company's policy and the schemas of its stores are: in the checkout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from worker.demo.failing import DemoFailed

_CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class CompanyFiles:
    """The policy (YAML), and the directory with the schemas of the stores (SQL)."""

    policy: Path
    schema: Path


def find_company(checkout: Path = _CHECKOUT) -> CompanyFiles:
    """Find the files of Nordlys Handel AS, the demo company.

    Raises DemoFailed when they are not there, as in an installation without a checkout.
    """
    policy = checkout / "deploy" / "policy" / "nordlys.yaml"
    schema = policy.with_name("nordlys-schema")
    for path in (policy, schema):
        if not path.exists():
            raise DemoFailed(
                f"{path} is missing. The demo takes the policy of its company from a checkout: "
                "clone the repository and say `make demo` there."
            )
    return CompanyFiles(policy, schema)
