"""The manuscript: its source is read, checked, staged and rendered."""
