"""``grader-pipeline migrate``: brings the database up to date, and says what it did."""

import argparse

from grader_pipeline.roles import instance, places
from grader_pipeline.roles.database import wait_for_server
from grader_pipeline.roles.migrate import migrate
from grader_pipeline.settings import Settings


def run(_: argparse.Namespace) -> None:
    """Do what the database lacks. Nothing changes if that is nothing.

    Raises LauncherError when the database cannot be used, or its role may not do it.
    """
    settings = Settings()
    database_url = places.required_url(settings)
    instance.write_home(settings)
    wait_for_server(database_url)
    for line in migrate(settings, database_url):
        print(line)
