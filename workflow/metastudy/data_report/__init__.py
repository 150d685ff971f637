"""The data report: what the data look like before any model."""
