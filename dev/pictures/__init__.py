"""`make pictures`: the pictures of `docs/`, taken of the real app."""
