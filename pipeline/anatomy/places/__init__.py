"""Which station and region a lesion lies in."""
