"""Tests of the contract with the outside."""
