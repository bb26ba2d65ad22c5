"""The worker's own small parts, without servers."""
