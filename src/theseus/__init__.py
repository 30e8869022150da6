"""Theseus: Temporal workers that run LLM-agent tasks durably."""

__version__ = "0.1.0"
