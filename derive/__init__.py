"""Turns the course's sources in `book/` into notebooks, exercises, solutions and the package `scratch`."""
