SELECT key FROM learner_key;
