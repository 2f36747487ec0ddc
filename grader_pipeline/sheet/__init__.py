"""The sheet as a destination: what its worksheets show, and how that gets to Google or a file.

``table`` says what a worksheet shows. ``worksheets`` makes tables of reports. ``update`` says which
rows of a worksheet have to change; ``header``, ``matching`` and ``places`` are its parts.
``google`` or ``workbook`` writes them. Assets use ``resource`` and nothing else to write;
``shared_write`` has what their runs share.
"""
