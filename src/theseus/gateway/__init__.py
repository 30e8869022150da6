"""The gateway: HTTP and gRPC in front of the workers. It checks, starts by name, signals, reads and streams; tasks are theirs."""
