"""A table of how other readers see our structure sets: `make matrix`."""
