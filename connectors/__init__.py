"""Connectors: how the worker finds, erases and re-reads a person's data in each store."""
