"""The tests, in tiers: unit, property, contract, integration, faults, acceptance, bench."""
