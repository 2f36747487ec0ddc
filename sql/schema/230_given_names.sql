-- The names that readers give to courses and tasks on the worksheet «Названия». They are shown in place
-- of the ids. The table holds what the worksheet had at its last write. task '' is the course itself.
CREATE TABLE IF NOT EXISTS given_name (
    course text COLLATE "C" NOT NULL,
    task   text COLLATE "C" NOT NULL,
    name   text NOT NULL,
    PRIMARY KEY (course, task)
);
