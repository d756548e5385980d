"""At the end of a run that tried them: how many of the exercises' wrong answers were found out."""

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    verdicts = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", [])
        if name == "mutant" and getattr(report, "when", "") == "call"
    ]
    if verdicts:
        by_check, by_grade = (sum(verdict[how] for verdict in verdicts) for how in ("check", "grade"))
        terminalreporter.write_sep("-", "mutants of the exercises")
        terminalreporter.write_line(
            f"{by_check} of {len(verdicts)} killed by their check with the message they call for, "
            f"{by_grade} of {len(verdicts)} by the grade cells alone"
        )
