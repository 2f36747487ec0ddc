"""An online school's grader attempts, turned into trusted daily numbers.

    grader API -> raw_attempts -> validated_attempts -> grader_table -> metrics -> sheet_report
                  assets/step1    assets/step2          assets/step3    assets/step4  assets/step5

The rooms, from the top floor down: ``cli`` (the command), ``local`` (what one machine needs),
``runs`` (how a run gets its process), ``definitions`` (assembly), ``assets`` (the pipeline), and
``mail``, ``sheet`` and ``page`` (destinations), ``reports`` (what a report is), ``resources`` (API,
PostgreSQL), ``attempts`` (what an attempt is). SQL is in ``sql/``.
"""
