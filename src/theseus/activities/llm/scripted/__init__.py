"""The scripted model: an HTTP server that speaks OpenAI's and Anthropic's wires, with scripts, latency and faults."""
