"""Plots: each draws a table that is committed beside it, and nothing else."""
