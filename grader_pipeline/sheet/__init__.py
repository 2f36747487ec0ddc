"""The sheet as a destination: what its worksheets show, and how that gets to Google or a file.

``table`` says what a worksheet shows. ``worksheets`` makes tables of reports. ``update`` says which
lines of a worksheet have to change. ``google`` or ``workbook`` writes them. Assets use ``resource``
and nothing else to write.
"""
