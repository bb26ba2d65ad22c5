"""Laws that hold for any input, tried by Hypothesis."""
