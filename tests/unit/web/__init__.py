"""The page's parts that need no server."""
