"""An online school's grader attempts, turned into trusted daily numbers.

    grader API -> raw_attempts -> validated_attempts -> grader_table -> metrics -> sheet_report
                  assets/step1    assets/step2          assets/step3    assets/step4  assets/step5

``attempts`` knows what an attempt is, ``resources`` speak with the world outside, ``report`` says
what colleagues read, ``automation`` starts days and sends mails, ``launcher`` is the command that
brings all of it up, ``definitions`` puts it together. SQL lives in ``sql/``.
"""

import gc

# Most of what a process makes here stays until it ends, and all that it imports. Looking through
# it for garbage as often as Python does by itself took a quarter of a run.
gc.set_threshold(100_000, 20, 100)
