"""The reports of ``sql/metrics``: how a file defines one, and how its table is kept.

``definition`` says what a report is, ``files`` reads the files' headers, ``tables`` computes a
day's part and puts it in place, ``rollups`` keeps what the reports stand on. What a report says is
in its file alone; how it is shown is the business of ``report``.
"""
