"""Deterministic code: the workflows of Theseus. `steps.py` is its only door to the world."""
