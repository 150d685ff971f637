"""Parcels: a study as sufficient statistics in one plain file, written, read and refused."""
