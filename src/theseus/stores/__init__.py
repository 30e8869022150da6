"""Where Theseus keeps what outlives a call: ports (Protocols) and their implementations."""
