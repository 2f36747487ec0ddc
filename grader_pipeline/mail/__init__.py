"""The mail as a destination: which mails there are, what they say, and how they are delivered.

``sensor`` sees runs and backfills that ended, ``candidates`` decides on their mails by
``run_mails`` and ``backfill_mails``, ``mailed`` remembers what was mailed. What each mail says is a
``message``: ``daily``, ``digest`` and ``failure`` make them, ``attention`` finds what to look at.
``letter`` writes a message as HTML and text, ``mime`` packs it, ``outbox`` delivers it through
``resource`` and ``smtp``. All words that readers see are in ``words``.
"""
