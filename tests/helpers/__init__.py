"""What tests make their data with: studies, worlds and projects of their own."""
