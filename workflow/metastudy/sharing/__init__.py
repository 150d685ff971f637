"""What of the data may be given away, and what is in the place of the rest."""
