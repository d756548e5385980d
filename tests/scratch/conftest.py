"""How many examples hypothesis tries for each test here; the same ones on every run."""

from hypothesis import settings

settings.register_profile("course", max_examples=300, deadline=None, derandomize=True)
settings.load_profile("course")
