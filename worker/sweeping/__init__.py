"""Sweeps at work: one rule over one store, chunk by chunk, and the proof that nothing is left."""
