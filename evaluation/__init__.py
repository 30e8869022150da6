"""Deep research measured on a planted corpus: a small invented web whose every fact, gap and trap is known."""
