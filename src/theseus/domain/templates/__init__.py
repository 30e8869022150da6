"""The rules of templates: how they inherit, what makes one sound, what a task gives them, what is tried on failure."""
