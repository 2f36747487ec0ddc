"""The files of deploy/: each is what its program takes, and names what the product has."""
