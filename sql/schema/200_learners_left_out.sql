-- Learners whom reports leave out, learners who were forgotten, and who asked for what.

-- Staff and test accounts. Their attempts stay in grader. A rollup of a day leaves them out, and so does
-- the view attempt.
CREATE TABLE IF NOT EXISTS excluded_learner (
    user_id     varchar(255) COLLATE "C" PRIMARY KEY,
    excluded_at timestamptz  NOT NULL DEFAULT now()
);

-- Learners whose elements no answer may bring back. Their ids are not stored: hash is the HMAC-SHA256 of
-- the id with the key of learner_key, and length is the number of its characters, so that the id is found
-- within a text. While the table is empty, nothing is hashed.
CREATE TABLE IF NOT EXISTS forgotten_learner (
    hash         bytea       PRIMARY KEY,
    length       integer     NOT NULL,
    forgotten_at timestamptz NOT NULL DEFAULT now()
);

-- The key of this database: two random UUIDs. A dump has it, too.
CREATE TABLE IF NOT EXISTS learner_key (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    key      text    NOT NULL
);
INSERT INTO learner_key (key)
VALUES (gen_random_uuid()::text || gen_random_uuid()::text)
ON CONFLICT DO NOTHING;

-- What somebody did to learners or to stored days, a line each. done_by is the user of the operating
-- system, or the id of the run. learner is the keyed hash of the learner's id, as in forgotten_learner.
-- The days are those that it changed: NULL while a command is at it, or was stopped.
CREATE TABLE IF NOT EXISTS audit_log (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    done_at    timestamptz NOT NULL DEFAULT now(),
    action     text        NOT NULL
               CHECK (action IN ('exclude', 'include', 'forget', 'update', 'recompute')),
    done_by    text        NOT NULL,
    learner    bytea,
    days       integer,
    first_date date,
    last_date  date
);

-- The view attempt as the migrations before made it, without the learners who are left out. PostgreSQL
-- reads their list once for each query.
DO $$
DECLARE
    query text := rtrim(pg_get_viewdef('attempt'::regclass), ';');
BEGIN
    IF strpos(query, 'excluded_learner') = 0 THEN
        EXECUTE format(
            'CREATE OR REPLACE VIEW attempt AS %s '
            'WHERE user_id <> ALL (ARRAY(SELECT excluded.user_id FROM excluded_learner AS excluded))',
            query
        );
    END IF;
END
$$;
