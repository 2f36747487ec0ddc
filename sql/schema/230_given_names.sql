-- The names that readers give to courses and tasks on the worksheet «Названия». They are shown in place
-- of the ids. The table holds what the worksheet had at its last write. task '' is the course itself.
-- name is NULL if it was taken back. former has what was shown before, the newest last: lines of the
-- sheet may still have it.
CREATE TABLE IF NOT EXISTS given_name (
    course text   COLLATE "C" NOT NULL,
    task   text   COLLATE "C" NOT NULL,
    name   text,
    former text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (course, task)
);
