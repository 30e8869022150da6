"""The world: every activity, each class with its dependencies in the constructor."""
