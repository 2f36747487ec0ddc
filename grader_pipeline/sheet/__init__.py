"""The sheet as a destination: what its worksheets show, and how that gets to Google or a file.

``table`` says what a worksheet shows, ``update`` which lines have to change, ``worksheets`` turns
reports into tables. ``resource`` is the one way in; ``google`` and ``workbook`` are behind it.
"""
