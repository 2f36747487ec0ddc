COPY fresh_engagement FROM STDIN (FORMAT binary);
