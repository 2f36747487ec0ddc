"""The attempts of an answer that came before in it: the API sends some of them twice."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

_KEY = np.dtype([("time", "i8"), ("learner", "u8")])


class SeenKeys:
    """The keys (created_at, user_id) of a day so far, sixteen bytes each.

    A key is the exact microsecond and a 64-bit hash of the learner. Two learners are mistaken for
    one if both are equal: with a million attempts a day, once in about 10**13 days.
    """

    def __init__(self) -> None:
        self._seen = np.empty(0, dtype=_KEY)

    def repeated(self, attempts: pa.Table) -> npt.NDArray[np.bool_]:
        """Which attempts repeat the key of an earlier one, in this table or in an earlier table."""
        keys = np.empty(len(attempts), dtype=_KEY)
        keys["time"] = attempts["created_at"].cast(pa.int64()).to_numpy()
        learners = attempts["user_id"].combine_chunks().dictionary_encode()
        distinct = learners.dictionary.to_numpy(zero_copy_only=False)
        keys["learner"] = pd.util.hash_array(distinct)[learners.indices.to_numpy()]
        columns = pd.DataFrame({name: keys[name] for name in ("time", "learner")})
        repeated: npt.NDArray[np.bool_] = columns.duplicated().to_numpy(copy=True)
        # The API sends the oldest first. A key that is newer than all earlier ones is not repeated.
        maybe = keys["time"] <= self._seen["time"].max(initial=np.iinfo("i8").min)
        if maybe.any():
            same_time = np.isin(self._seen["time"], keys["time"][maybe])
            repeated[maybe] |= np.isin(keys[maybe], self._seen[same_time])
        self._seen = np.concatenate([self._seen, keys])
        return repeated
