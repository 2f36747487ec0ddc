"""The command ``grader-pipeline``: one file a subcommand.

``command`` finds the file by the subcommand's name. A file has ``run(chosen)``, which may give an
exit code, and ``add_arguments(parser)`` if the subcommand has arguments.
"""
