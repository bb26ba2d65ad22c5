"""What tests of every tier share: brokers and databases."""
