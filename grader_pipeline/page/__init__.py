"""The page as a destination: the reports of a period as one HTML file, in Russian."""
