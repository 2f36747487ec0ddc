"""The command ``grader-pipeline``: one file a subcommand.

``command`` finds the file by the subcommand's name. A file has ``add_arguments(parser)`` and
``run(chosen)``, which may give an exit code.
"""
