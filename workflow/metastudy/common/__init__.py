"""What every package may use: problems, text, YAML, digests, disclosure control, the store."""
