"""The questions. Each is a function that turns a lab into an outcome."""
