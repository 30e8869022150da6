"""Adapters that Theseus ships; each is found by its entry point, like any other."""
