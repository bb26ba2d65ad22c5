"""The runbook, followed: each situation is caused, and its words must lead out of it."""
