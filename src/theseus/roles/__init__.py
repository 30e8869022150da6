"""Prompts: one role, one file: instructions, tools, tier, and the type it must answer with."""
