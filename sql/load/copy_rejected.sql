COPY staged_rejected FROM STDIN (FORMAT binary);
