"""The gateway over gRPC: the calls of `protocol/`, by the functions that REST goes through."""
