"""What an attempt is: from the bytes of a response to typed rows or reasons to refuse them.

``response`` cuts a response into its elements, ``passback`` reads the Python text inside an
element, ``decoding`` turns elements into columns, ``schema`` says what a clean attempt is,
``keys`` finds the attempt that came twice, ``validation`` runs a day through all of it.
Nothing here knows of Dagster, HTTP or SQL.
"""
