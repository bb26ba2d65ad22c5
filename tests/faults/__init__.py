"""What must hold when parts die, refuse, lie or come back: on real parts, with real kills."""
