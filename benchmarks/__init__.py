"""Speed and memory, measured against what is naive and against what is possible.

``python -m benchmarks`` (``make bench``) writes docs/benchmarks.md. ``programs`` are what is
measured, each a process of its own; ``servers`` are what they talk to; ``lab`` runs and meters
them; ``figures`` are the questions, a file each; ``results`` keeps and shows the answers.
"""
