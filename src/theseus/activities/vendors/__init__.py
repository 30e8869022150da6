"""Vendors' adapters: what one is, and how those of a worker are found."""
