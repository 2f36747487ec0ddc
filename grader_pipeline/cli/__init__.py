"""The command ``grader-pipeline``: one file a subcommand."""
