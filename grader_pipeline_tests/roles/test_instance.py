"""What Dagster's processes are given."""

import sqlalchemy
from psycopg.conninfo import make_conninfo

from grader_pipeline.roles.instance import instance_url


def test_a_database_url_keeps_its_odd_characters_on_the_way_to_dagster() -> None:
    given = make_conninfo(
        host="db.example.org", port=5433, user="u@x", password="p:/?#[]@ %ü", dbname="a b",
        sslmode="require", options="-c work_mem=8MB",
    )  # fmt: skip
    url = sqlalchemy.make_url(instance_url(given))
    assert (url.username, url.password, url.database) == ("u@x", "p:/?#[]@ %ü", "a b")
    given_on = {"host", "port", "sslmode", "options"}
    assert {name: value for name, value in url.query.items() if name in given_on} == {
        "host": "db.example.org",
        "port": "5433",
        "sslmode": "require",
        "options": "-c work_mem=8MB",
    }
    assert url.query["tcp_user_timeout"] == "25000"
