"""The attempts of an answer that came before in it: the API sends some of them twice."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

_KEY = np.dtype([("time", "i8"), ("learner", "u8")])
_Keys = npt.NDArray[np.void]


class SeenKeys:
    """The keys (created_at, user_id) of a day so far, sixteen bytes each.

    A key is the exact microsecond and a 64-bit hash of the learner. Two learners are mistaken for
    one if both are equal: with a million attempts a day, once in about 10**13 days.
    """

    def __init__(self) -> None:
        # Of each table, by time.
        self._seen: list[_Keys] = []

    def repeated(self, attempts: pa.Table) -> npt.NDArray[np.bool_]:
        """Which attempts repeat the key of an earlier one, in this table or in an earlier table."""
        keys = np.empty(len(attempts), dtype=_KEY)
        time = attempts["created_at"].cast(pa.int64()).to_numpy()
        learners = attempts["user_id"].combine_chunks()
        distinct = learners.dictionary.to_numpy(zero_copy_only=False)
        hashes = pd.util.hash_array(distinct, categorize=False)
        keys["time"], keys["learner"] = time, hashes[learners.indices]
        # Few attempts have a time that another one has. The API sends the oldest first, so sorting
        # is quick, and a key that is newer than all earlier ones is not repeated.
        order = np.argsort(time, kind="stable")
        is_same = time[order[1:]] == time[order[:-1]]
        twins = np.union1d(order[1:][is_same], order[:-1][is_same])
        repeated = np.zeros(len(attempts), bool)
        columns = pd.DataFrame({name: keys[name][twins] for name in ("time", "learner")})
        repeated[twins] = columns.duplicated()
        for seen in self._seen:
            seen_time = seen["time"]
            late = np.flatnonzero(time <= seen_time[-1])
            late = late[seen_time[np.searchsorted(seen_time, time[late])] == time[late]]
            if late.size:
                same_time = np.isin(seen_time, time[late])
                repeated[late] |= np.isin(keys[late], seen[same_time])
        if len(keys):
            self._seen.append(keys[order])
        return repeated
