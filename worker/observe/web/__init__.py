"""The page that the worker serves: who may see it, what it shows, what can be done there."""
