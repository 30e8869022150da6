"""Rules: pure functions over contracts. No clock, no I/O, no Temporal."""
