"""Inference: compile, sample, check convergence, save."""
