"""Runs the command as ``python -m grader_pipeline.launcher``."""

import sys

from grader_pipeline.launcher.cli import main

if __name__ == "__main__":
    sys.exit(main())
