"""Google Sheets, through gspread: who we are, how requests travel, what a write is made of.

``credentials`` finds the account, ``http`` carries requests with deadlines and bounded retries,
``refusals`` turns Google's into failures that say what to do, ``requests`` and ``chart`` state the
wanted cells, ``spreadsheet`` puts one write together. Only ``sheet.resource`` comes here.
"""
