"""Connectors, where no database is needed."""
