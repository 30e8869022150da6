"""The adapter of a folder: advertisements, news and tables that lie in files."""
