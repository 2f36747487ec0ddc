"""The HTML of each kind of mail, of a sample school with two weeks of attempts."""

import datetime as dt
from urllib.parse import urlsplit

import psycopg

from grader_pipeline.resources.postgres import Postgres
from grader_pipeline_tests.mail import kinds
from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.sample_weeks import load_weeks

DAY = dt.date(2023, 5, 28)
"""A Sunday: the weekly mail is about the same days."""
_DATABASE = "mails_in_a_browser"


def sample_mails(server: str) -> dict[str, str]:
    """Each kind of mail as a page. The database is made on ``server`` (a URL), and dropped."""
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {_DATABASE}")
        postgres = Postgres.at(urlsplit(server)._replace(path=f"/{_DATABASE}").geturl())
        try:
            load_weeks(School(postgres), DAY, days=14, rows=1000)
            with postgres.transaction() as db:
                return {kind: kinds.as_page(one) for kind, one in kinds.letters(db, DAY).items()}
        finally:
            postgres.close()
            admin.execute(f"DROP DATABASE {_DATABASE} WITH (FORCE)")
