"""The mail as a destination: which mails there are, what they say, and how they are delivered.

``sensor`` sees runs and backfills that ended, ``candidates`` decides on their mails, ``letter``
writes them, ``outbox`` delivers them through ``resource`` and ``smtp``. All words that readers see
are in ``templates``.
"""
