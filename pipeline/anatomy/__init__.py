"""What plain image processing finds on the CT."""
