"""What is added to lines of the log."""

import logging


class IncidentFilter(logging.Filter):
    """Puts the number that the page of an error names before the line of the log about it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line through; one about a request with an incident begins with its number."""
        number = getattr(getattr(record, "request", None), "incident", "")
        if number and not str(record.msg).startswith("Incident "):
            record.msg = f"Incident {number}: {record.msg}"
        return True
