"""What is given away: which data may go, what stands for the rest, folders that are made anew."""
