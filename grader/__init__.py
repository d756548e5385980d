"""Grades exercise notebooks: submissions in, scores and feedback out."""
