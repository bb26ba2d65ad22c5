"""The ledger: the SQL database that is the truth about every case, command, receipt and stop.

``tables.py`` is the schema with its invariants, ``database.py`` opens it, ``migrations/`` brings it
up to date; every other module holds the named questions about one noun. No SQL lives elsewhere.
"""
