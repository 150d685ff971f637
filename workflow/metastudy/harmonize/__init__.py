"""Harmonizing: one study's raw file and codebook to tables of one form."""
