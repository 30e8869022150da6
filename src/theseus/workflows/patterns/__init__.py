"""Ways of working that modes combine: plain async functions, typed in and out."""
