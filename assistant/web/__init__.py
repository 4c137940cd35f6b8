"""The panel, its page, and what both are made of."""
