"""What a report is: a file of ``sql/reports``, its table, and what of it may leave the database.

``definition`` says what a report is, ``files`` reads the files' headers, ``tables`` computes a
day's part and puts it in place, ``rollups`` keeps what the reports read, ``privacy`` decides what
may be shown, ``pictures`` and ``trend`` draw it, ``russian`` writes numbers and days for readers.
"""
