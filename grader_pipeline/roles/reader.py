"""The role grader_reader: colleagues who look at the reports with psql or a BI tool."""


def grant(database_url: str) -> str:
    """Make the role if that is allowed, and let it read the reports. Gives what was done."""
    return ""
