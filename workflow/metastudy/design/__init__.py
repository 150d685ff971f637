"""What a design identifies, its matrix, and draws for new levels: arrays and tables only."""
