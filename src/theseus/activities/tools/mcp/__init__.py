"""MCP servers as tools: the file that names them, the ways to reach them, and what their tools are to a model."""
