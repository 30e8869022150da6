"""Routes: each file is a group of endpoints, thin over what does the work."""
