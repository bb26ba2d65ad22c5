"""Generated policies, rows and events, run through plan and engine and compared with a model."""
