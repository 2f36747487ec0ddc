"""Google Sheets, through gspread.

``credentials`` finds the account. ``http`` sends requests, with deadlines, and again after a 429 or
an outage. ``refusals`` turns Google's refusals into failures that say what to do. ``requests`` and
``chart`` make the parts of a write. ``spreadsheet`` reads, compares and writes.
"""
