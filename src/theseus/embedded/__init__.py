"""The servers of `theseus dev`: Temporal's dev server, Valkey, a local model, and the workers beside them."""
