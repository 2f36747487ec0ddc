"""Texts of lis_result_sourcedid as LMSs write them, and what is read out of them."""

from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from grader_pipeline_tests.grader import learner

ANN = learner("ann")
HEX = "ca3ecf8e5f284c329eb7bd529e1a9f7e"
COURSE = "course-v1:Org+Course+Run"
ENCODED = "course-v1%3AOrg%2BCourse%2BRun"
SIGNATURE = "0123456789abcdef0123456789abcdef01234567"

READABLE: dict[str, tuple[str, str]] = {
    f"{COURSE}:lms.example.org-{HEX}:{ANN}": (COURSE, HEX),
    f"{ENCODED}:lms.example.org-{HEX}:{ANN}": (COURSE, HEX),
    f"{ENCODED}:lms.example.org-lab_one:{ANN}": (COURSE, "lab_one"),
    f"{COURSE}:lms.example.org-lab-one:{ANN}": (COURSE, "lab-one"),
    f"{COURSE}:lms.example.org-one:{ANN}": (COURSE, "one"),
    f"{COURSE}:my-lms.example.org-lab_one:{ANN}": (COURSE, "lab_one"),
    f"{COURSE}:lms.my-school.org-{HEX}:{ANN}": (COURSE, HEX),
    f"{COURSE}:lms.xn--80aswg.xn--p1ai-lab_one:{ANN}": (COURSE, "lab_one"),
    f"{COURSE}:lms.example.org:8443-{HEX}:{ANN}": (COURSE, HEX),
    f"{COURSE}:lms.example.org:8443-lab_one:{ANN}": (COURSE, "lab_one"),
    f"{ENCODED}:localhost%3A18000-lab.one-b:{ANN}": (COURSE, "lab.one-b"),
    f"{COURSE}:localhost-lab.one-b:{ANN}": (COURSE, "lab.one-b"),
    f"{COURSE}:lms-lab.1-b:{ANN}": (COURSE, "lab.1-b"),
    f"{COURSE}:lms-.1-:{ANN}": (COURSE, ".1-"),
    f"{COURSE}:10.0.0.7-lab_one:{ANN}": (COURSE, "lab_one"),
    f"{COURSE}:lms-{HEX}:{ANN}": (COURSE, HEX),
    f"{COURSE}:LMS.EXAMPLE.ORG-{HEX.upper()}:{ANN}": (COURSE, HEX.upper()),
    f"COURSE-V1:ORG+COURSE+RUN:lms.example.org-LAB:{ANN}": ("course-v1:ORG+COURSE+RUN", "LAB"),
    f"course-v1%3aOrg%2bCourse%2bRun:lms.example.org-lab:{ANN}": (COURSE, "lab"),
    f"course-v1:Школа+Курс+1:lms.example.org-задача_1:{ANN}": (
        "course-v1:Школа+Курс+1", "задача_1"),
    f"{quote('course-v1:Школа+Курс+1')}:lms.example.org-{quote('задача_1')}:{ANN}": (
        "course-v1:Школа+Курс+1", "задача_1"),
    f"Org/Course/Run:lms.example.org-i4x-Org-Course-lti-{HEX}:{ANN}": (
        "Org/Course/Run", f"i4x-Org-Course-lti-{HEX}"),
    f"Org%2FCourse%2FRun:lms.example.org-i4x-Org-Course-lti-lab:{ANN}": (
        "Org/Course/Run", "i4x-Org-Course-lti-lab"),
    f"{COURSE}:lms.example.org-i4x-Org-Course-problem-{HEX}:{ANN}": (
        COURSE, f"i4x-Org-Course-problem-{HEX}"),
    f"ccx-v1:Org+Course+Run+ccx@7:lms.example.org-{HEX}:{ANN}": (
        "ccx-v1:Org+Course+Run+ccx@7", HEX),
    f"ccx-v1%3AOrg%2BCourse%2BRun%2Bccx%407:lms.example.org-{HEX}:{ANN}": (
        "ccx-v1:Org+Course+Run+ccx@7", HEX),
    f"library-v1:Org+Lib:lms.example.org-{HEX}:{ANN}": ("library-v1:Org+Lib", HEX),
    '{"data":{"instanceid":"12","userid":"345","typeid":null,"launchid":6789},"hash":"ab01"}': (
        "Moodle", "12"),
    '{"data": {"userid": 345, "instanceid": 12}, "hash": "cd02"}': ("Moodle", "12"),
    f"1-22-333-4444-{SIGNATURE}": ("Canvas 22", "1-22-333"),
    "1-22-333-4444": ("Canvas 22", "1-22-333"),
    f"1-22-333-{ANN}": ("Canvas 22", "1-22-333"),
    f"1-22-{ANN}-333": ("Canvas 22", "1-22-333"),
    f"1-22-{ANN}-{SIGNATURE}": ("Canvas", "1-22"),
}  # fmt: skip
"""Text of ann's attempt -> course and task."""

UNREADABLE = [
    "a", "7", ANN, f"{COURSE}:lms.example.org-{HEX}", f"{COURSE}:{HEX}:{ANN}", f"{COURSE}::{ANN}",
    f"{COURSE}:lms.example.org-:{ANN}", f"course-v1:Org Course:lms.example.org-{HEX}:{ANN}",
    f"{COURSE}:lms.example.org-lab one:{ANN}", f"{COURSE}:lms.example.org-{ANN}:{ANN}",
    f"{COURSE}:lms.example.org-lab:{ANN}:x", f"{COURSE}:{ANN}:lms.example.org-lab",
    f"course-v1:{ANN}:lms.example.org-lab:x", f"{COURSE}:lms.example.org-<b>:{ANN}",
    f"course-v1%3AOrg%FF:lms.example.org-lab:{ANN}", "course-v1%3AOrg%0A:lms.example.org-lab:x",
    f"course-v1%3AOrg%4:lms.example.org-lab:{ANN}", f"course-v1%3AOrg%:lms.example.org-lab:{ANN}",
    f"course-v1%3AOrg%D0:lms.example.org-lab:{ANN}", "course-v1:Org%00:lms.example.org-lab:x",
    f"{COURSE}:lms.example.org-{'x' * 256}:{ANN}", f"course-v1:{'x' * 300}:lms.org-lab:{ANN}",
    f"{COURSE}:lms.example.org-lab\n:{ANN}", f"{COURSE}:lms.example.org-lab\N{NO-BREAK SPACE}:u",
    "https://lms.example.org/a/b:c-d:e", '{"data":{"userid":"345"}}', '{"instanceid":"ann"}', "{",
    f"1-22-333-{SIGNATURE}", "1-22-333", "2023-05-31", "1-22-333-4444-5555",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "ann.petrova@example.org", "Анна Петрова",
]  # fmt: skip

HOSTS = (
    "lms.example.org",
    "my-lms.example.org",
    "lms.my-school.org:8443",
    "localhost:18000",
    "LMS",
)
_ids = st.text("abAB01_-.~", min_size=1, max_size=12)
BLOCKS = st.one_of(
    _ids.filter(lambda text: text.strip("-.~")),
    st.sampled_from((HEX, HEX.upper(), "lab_one", "one", "lab-one", f"i4x-a-b-lti-{HEX}")),
)
COURSES = st.builds(
    "{}:{}+{}".format,
    st.sampled_from(("course-v1", "ccx-v1", "library-v1")),
    st.text("abAB01._~-Шк", min_size=1, max_size=5),
    st.text("abAB01._~-@", min_size=1, max_size=5),
)


@st.composite
def texts(draw: Any) -> str:
    """Texts of any form, most of them nearly readable."""
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return draw(st.text(max_size=40).filter(lambda text: "\0" not in text))
    if kind == 1:
        known = draw(st.sampled_from([*READABLE, *UNREADABLE]))
        cut = draw(st.integers(0, len(known)))
        more = draw(st.text(":-%/{}.1aA +\n", max_size=4))
        return known[:cut] + more + known[cut + draw(st.integers(0, 2)) :]
    parts = st.text("ab01:-%._/{Ш23Dd", max_size=8)
    link = f"{draw(st.sampled_from(HOSTS))}-{draw(BLOCKS | parts)}"
    course = draw(COURSES | parts)
    if kind == 2:
        course, link = quote(course), quote(link)
    return f"{course}:{link}:{ANN}"
