"""Tests of one part at a time, with nothing running beside them."""
