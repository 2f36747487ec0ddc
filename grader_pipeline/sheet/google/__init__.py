"""Google Sheets, through gspread.

``credentials`` finds the account. ``http`` sends requests, with deadlines, and again after a 429 or
an outage. ``refusals`` turns Google's refusals into failures that say what to do. ``batch_update``,
``chart`` and ``looks`` make the requests of a write. ``reading`` reads, with ``tabs`` and
``beside``. ``spreadsheet`` reads, decides and writes.
"""
