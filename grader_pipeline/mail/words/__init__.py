"""All words of mails, in Russian. Another language is another folder of these modules.

``general`` has what every mail has, ``days``, ``weeks`` and ``failures`` what a kind of mail says,
``checks`` and ``attention`` what to look at. Form of numbers and days: ``reports/russian.py``.
"""
