COPY staged_attempts FROM STDIN (FORMAT binary);
