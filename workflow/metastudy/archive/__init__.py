"""The archive of a finished build: an RO-Crate with data, code, results and their provenance."""
