"""Learners who are left out: of the reports (exclude), or of everything (forget)."""
