INSERT INTO excluded_learner (user_id)
VALUES (%(learner)s)
ON CONFLICT DO NOTHING;
