"""What an attempt is: the bytes of an answer become typed attempts, or reasons to refuse them.

``columns`` defines the columns of an attempt. ``response`` cuts an answer into its elements,
``passback`` reads the Python text inside an element, ``decoding`` turns elements into columns,
``schema`` has the reasons and the rules of a clean attempt, ``keys`` finds the attempts that came
twice, ``validation`` runs a day through all of it. Nothing here knows Dagster, HTTP or SQL.
"""
