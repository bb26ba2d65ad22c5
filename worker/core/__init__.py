"""What decides: no input or output, no clock, no settings. The same arguments, the same answer."""
