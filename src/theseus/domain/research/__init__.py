"""The rules of deep research: quotes, figures, sentences, citations."""
