"""The questions, by name, in the order in which they are asked. Each turns a lab into an outcome."""
