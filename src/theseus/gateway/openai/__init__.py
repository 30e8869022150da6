"""OpenAI's API in front of tasks: a chat completion is one task, and its stream is told as OpenAI tells one."""
