"""What happens by itself: the morning's schedule, and the mails that follow runs and backfills."""
