"""Numbers of record: what a build says, and whether another build says the same."""
