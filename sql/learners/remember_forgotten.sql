INSERT INTO forgotten_learner (hash, length)
VALUES (%(hash)s, %(length)s)
ON CONFLICT DO NOTHING;
