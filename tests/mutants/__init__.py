"""Do the tests notice when a rule is changed? Comparisons flipped, one at a time."""
