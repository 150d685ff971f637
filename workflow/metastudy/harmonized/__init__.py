"""The harmonized tables: their schema, and the only way in and out of results/harmonized."""
