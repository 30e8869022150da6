"""HTTP APIs as tools: the file that names their OpenAPI documents, what the documents say, and calls of operations."""
