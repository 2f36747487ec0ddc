"""A grader to fetch from when the real one is not at hand.

A real HTTP server with a made-up school behind it. Its days look like real ones, dirty rows
included. All ids are generated.

A request passes through the modules in this order:

    server   the HTTP side: parameters, key, latency, streaming
    days     a UTC day as bytes on disk, and the slice of it that a window asks for
    draw     the day's attempts: who works on what, and when
      totals   how many attempts the day has in all
      school   courses, tasks, learners
    wire     an attempt as the JSON text the real grader sends
    dirt     the rows that no pipeline should load

A UTC day is a pure function of its date, `rows` and `dirty`, so windows that overlap agree, and so
do two servers.
"""
