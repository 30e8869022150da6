"""A template at work: its nodes, started when what they depend on is done."""
