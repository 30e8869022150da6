"""The phases of deep research."""
