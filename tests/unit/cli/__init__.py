"""The command's own parts, without a broker or a database."""
