"""What a report is: a file of ``sql/reports``, its table, and what of it may leave the database.

``definition`` says what a report is. ``header`` and ``files`` read the files. ``tables`` computes a
day's part and stores it. ``rollups`` updates what the reports read. ``privacy`` decides what may be
shown. ``pictures`` and ``trend`` draw pictures. ``day`` reads what the mail shows. ``russian``
writes numbers and days for readers.
"""
