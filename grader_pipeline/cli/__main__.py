"""Runs the command as ``python -m grader_pipeline.cli``."""

import sys

from grader_pipeline.cli.command import main

if __name__ == "__main__":
    sys.exit(main())
