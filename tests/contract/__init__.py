"""One suite that every connector runs, on every database."""
