"""Acceptance tests: the command as a user starts it, in a process of its own."""
