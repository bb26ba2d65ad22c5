"""The page, over a real socket."""
