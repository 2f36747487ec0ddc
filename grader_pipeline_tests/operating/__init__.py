"""What docs/operating.md says that an operator does, done with real parts."""
