"""The whole path on a real broker and real databases, with the worker in a process of its own."""
