"""Making a parcel at the owner's: disclosure control, what goes in, and the page to read first."""
