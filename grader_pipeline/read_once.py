"""Settings that are read once for each state of what they are read from."""

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_settings import BaseSettings

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass as _Metaclass
else:
    _Metaclass = type(BaseSettings)

ENV_FILE = Path(".env")
"""The file of settings, in the current folder."""


class ReadOnce(_Metaclass):
    """Gives settings that were read from the same environment, folder and ``.env`` file again.

    A run asks for its settings 55 times. A reading takes 2 ms, so this was a seventh of the CPU of
    a usual day. Settings are frozen: all who ask can have the same.
    """

    def __call__(self, **given: Any) -> Any:  # noqa: ANN401 (the signature of pydantic)
        """The settings. With values ``given``, they are made of these and not kept."""
        if given:
            return super().__call__(**given)
        file = ENV_FILE.read_bytes() if ENV_FILE.is_file() else b""
        return _read(self, Path.cwd(), file, frozenset(os.environ.items()))


@lru_cache(maxsize=4)
def _read(settings: type[BaseSettings], *_state: object) -> BaseSettings:
    found: BaseSettings = type.__call__(settings)
    return found
