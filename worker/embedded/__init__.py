"""A broker and a PostgreSQL that come with pip: for the demo and tests, never for production."""
