"""What the worker shows of itself: measures, clocks, health, traces, the page."""
