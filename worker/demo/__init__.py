"""``erasure demo``: made-up people, real servers, and the worker as it runs everywhere else."""
