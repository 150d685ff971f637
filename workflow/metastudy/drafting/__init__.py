"""Drafts of codebooks: what can be guessed of a data file, marked as a guess."""
