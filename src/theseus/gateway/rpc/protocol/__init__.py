"""The protocol, and the Python that `make proto` makes of it."""
