"""What a journal asks for: a blinded manuscript, figures, data, statements and checklists."""
