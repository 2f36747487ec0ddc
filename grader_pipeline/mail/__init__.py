"""The mail as a destination: which mails there are, what they say, and how they are delivered.

``sensor`` sees runs and backfills that ended, ``candidates`` decides on their mails by
``run_mails`` and ``backfill_mails``, ``mailed`` remembers what was mailed, ``letter`` writes the
mails, ``outbox`` delivers them through ``resource`` and ``smtp``. All words that readers see are in
``templates``.
"""
