"""Codebooks and vocabularies: read, checked, and described for those who write them."""
