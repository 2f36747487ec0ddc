"""What a machine has for itself, and what takes its place when several hosts work together.

With GRADER_BROKER_URL set, a run may be on any host. A workbook, a folder or a log file of one of
them would hold a part of the days. So these are refused, all in one text: a database, a store of
files, a sheet and a mail server have to be named. Log lines go to stdout as JSON: see
``GRADER_LOG``.
"""

NEEDED = {
    "DATABASE_URL": "in place of the embedded PostgreSQL",
    "GRADER_STORAGE": "a URL such as s3://bucket/grader, in place of a folder of this machine",
    "GOOGLE_SHEETS_CREDENTIALS": "and GOOGLE_SHEETS_ID, in place of a workbook",
    "SMTP_HOST": "in place of .eml files",
}
"""What has to be set with a broker, and what it takes the place of."""


def refusal(set_variables: set[str], storage: str | None, log: str | None) -> str | None:
    """Why these settings cannot be used on several hosts, and what to set. None if they can.

    ``storage`` is GRADER_STORAGE, ``log`` is GRADER_LOG. ``file://`` is taken for a folder that all
    hosts share: whoever writes it says so.
    """
    there = set_variables - ({"GRADER_STORAGE"} if "://" not in (storage or "") else set())
    wanted = [f"{name} ({why})" for name, why in NEEDED.items() if name not in there]
    if log == "file":
        wanted.append("GRADER_LOG to json or stdout, or leave it out, in place of a log file")
    if not wanted:
        return None
    return (
        "GRADER_BROKER_URL is set, so that runs are on several hosts, and these settings keep a "
        f"part of the days on each of them. Set {'; '.join(wanted)}. Or leave GRADER_BROKER_URL out"
    )
