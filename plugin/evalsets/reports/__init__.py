"""What an evaluation found: frame, sentences, plot, HTML, Markdown, JUnit, JSON."""

from evalsets.reports.details import Details
from evalsets.reports.report import Report

__all__ = ["Details", "Report"]
