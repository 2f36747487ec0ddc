-- For insert_new.sql, which looks up each staged attempt.
ALTER TABLE staged_twins ADD PRIMARY KEY (position);
