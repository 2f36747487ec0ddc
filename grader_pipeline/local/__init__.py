"""What one machine needs and a cluster has already."""
