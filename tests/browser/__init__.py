"""The page in a real Chromium. Run by .ci/run; by hand: pytest tests/browser."""
