SELECT length, hash FROM forgotten_learner;
