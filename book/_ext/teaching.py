"""`{syllabus}` and `{lesson}`: the parts of the page for teachers that follow from the chapters.

What a chapter takes, what it rests on and what it teaches stand in the chapter; so do its question, its explorers and
its mistakes. The page adds what a teacher decides: which chapter comes in which week, and what to change live.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from derive import lessons
from derive.config import Book
from derive.errors import SourceError
from derive.lessons import Lesson

EXPLORER = re.compile(r"^:{3,}\{explorer\} (\w+)$", re.MULTILINE)
MISTAKE = re.compile(r"^\((wrong-[a-z0-9-]+)\)=\n(?:\([a-z0-9-]+\)=\n)*\*\*(.+?)\*\*", re.MULTILINE | re.DOTALL)


def hours(minutes: int) -> str:
    """Minutes as one says them: 90 are 1 h 30."""
    return f"{minutes // 60} h {minutes % 60:02}"


def plan(weeks: Sequence[str], course: Sequence[Lesson]) -> list[list[Lesson]]:
    """The lessons of each week, from their numbers; ValueError if one comes before what it needs."""
    by_number = {lesson.number: lesson for lesson in course}
    seen: set[str] = set()
    planned: list[list[Lesson]] = []
    for number, week in enumerate(weeks, 1):
        planned.append([])
        for word in week.split():
            lesson = by_number.get(int(word)) if word.isdigit() else None
            if lesson is None:
                raise ValueError(f"week {number}: there is no chapter {word}")
            missing = [slug for slug in lesson.needs if slug not in seen]
            if missing:
                raise ValueError(f"week {number}: {lesson.slug} needs {', '.join(missing)} before it")
            seen.add(lesson.slug)
            planned[-1].append(lesson)
    return planned


class FromTheChapters(SphinxDirective):
    """A directive whose content follows from the chapters and the exercises."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {}

    def course(self) -> list[Lesson]:
        book = Book.load(Path(self.env.srcdir))
        for path in (*book.chapters(), *book.exercises()):
            self.env.note_dependency(str(path))
        try:
            return lessons.read(book)
        except SourceError as error:
            raise self.error(str(error)) from None

    def markdown(self, *lines: str) -> list[nodes.Node]:
        return self.parse_text_to_nodes("\n".join(lines))


class Syllabus(FromTheChapters):
    """A table of weeks. Each line of the content holds the numbers of a week's chapters."""

    def run(self) -> Sequence[nodes.Node]:
        try:
            weeks = plan(list(self.content), self.course())
        except ValueError as error:
            raise self.error(str(error)) from None
        rows = ["| Week | Chapters | Reading and running | Exercises |", "|--:|---|--:|--:|"]
        for number, week in enumerate(weeks, 1):
            chapters = "<br>".join(f"{one.number} · [{one.title}](chapters/{one.slug}.md)" for one in week)
            reading, exercises = (sum(minutes) for minutes in zip(*map(times, week), strict=True))
            rows.append(f"| {number} | {chapters} | {hours(reading)} | {hours(exercises)} |")
        every = [lesson for week in weeks for lesson in week]
        reading, exercises = (sum(minutes) for minutes in zip(*map(times, every), strict=True))
        rows.append(f"| | **All {len(weeks)} weeks** | **{hours(reading)}** | **{hours(exercises)}** |")
        tasks, points = sum(lesson.tasks for lesson in every), sum(lesson.points for lesson in every)
        each = [sum(sum(times(lesson)) for lesson in week) for week in weeks]
        least, most, average = hours(min(each)), hours(max(each)), hours(sum(each) // len(each))
        says = (
            f"{len(every)} chapters, {tasks} tasks, {points} points. "
            f"A week takes between {least} and {most}, {average} on average."
        )
        return self.markdown(*rows, "", says)


def times(lesson: Lesson) -> tuple[int, int]:
    """The minutes of the chapter, and those of its exercises."""
    return lesson.minutes, lesson.exercise_minutes


class LessonPlan(FromTheChapters):
    """What there is to do with a chapter in class. The content says what to change live."""

    required_arguments = 1

    def run(self) -> Sequence[nodes.Node]:
        course = {lesson.slug: lesson for lesson in self.course()}
        lesson = course.get(self.arguments[0])
        if lesson is None:
            raise self.error(f"there is no chapter {self.arguments[0]}")
        page = f"chapters/{lesson.slug}"
        text = Path(self.env.srcdir, "book", f"{page}.md").read_text(encoding="utf-8")
        needed = ", ".join(f"[{course[slug].title}](chapters/{slug}.md)" for slug in lesson.needs) or "no other chapter"
        found = self.markdown(
            f"**Goal.** Learners will have {lesson.goal.replace('You will have', 'They will have')}",
            "",
            f"**Time.** {hours(lesson.minutes)} to read and run, {hours(lesson.exercise_minutes)} for "
            f"[{lesson.tasks} tasks](exercises/{lesson.slug}.md). **Needs** {needed}.",
            "",
            f"**Ask first.** [The question that opens the chapter]({page}.md#predict): let everybody write an answer "
            "down.",
        )
        found += self.markdown("**Change live.** " + "\n".join(self.content))
        found += self.explorers(page, EXPLORER.findall(text))
        mistakes = [f"[{' '.join(claim.split()).strip('.')}](#{label})" for label, claim in MISTAKE.findall(text)]
        found += self.markdown(
            "**Show failing.** " + " · ".join([*mistakes, f"[all of them]({page}.md#often-written-wrong)"])
        )
        return found

    def explorers(self, page: str, names: list[str]) -> list[nodes.Node]:
        """Links to the boxes that the scripts fill, which are no targets of Sphinx's."""
        if not names:
            return []
        line = nodes.paragraph("", "", nodes.strong("", "Turn the knobs."))
        for name in names:
            address = f"{page}.html#explorer-{name}"
            line += [nodes.Text(" "), nodes.reference("", f"The explorer: {name.replace('_', ' ')}", refuri=address)]
        return [line]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("syllabus", Syllabus)
    app.add_directive("lesson", LessonPlan)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
