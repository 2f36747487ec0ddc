"""The asset checks: what must be true before a day goes on, and what somebody should look at.

A blocking check that fails fails the run: nothing after it happens and no success is mailed. A
warning is shown and lets the day pass. The asset runs its checks with every materialization.

Each check is one function. Its name is the check's name, its docstring the description in the UI.
It gets the facts of its asset and returns what it found. The modules beside this one hold the
checks of an asset each.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import dagster as dg


class Found(NamedTuple):
    """What a check found. The description has the numbers, and what to do."""

    passed: bool
    metadata: Mapping[str, Any]
    description: str | None = None


Check = Callable[[Any], Found]
_CHECKS: dict[str, list[tuple[dg.AssetCheckSpec, Check]]] = {}


def specs(*assets: str) -> list[dg.AssetCheckSpec]:
    """The specs of the checks of ``assets``; without a name, of all assets."""
    return [spec for asset in assets or _CHECKS for spec, _ in _CHECKS[asset]]


def results(asset: str, facts: object, *only: Check) -> list[dg.AssetCheckResult]:
    """What the checks of ``asset``, or ``only`` these, found in its facts: what they take."""
    return [
        dg.AssetCheckResult(
            **found_by(facts)._asdict(),
            check_name=spec.name,
            asset_key=spec.asset_key,
            severity=dg.AssetCheckSeverity.ERROR if spec.blocking else dg.AssetCheckSeverity.WARN,
        )
        for spec, found_by in _CHECKS[asset]
        if not only or found_by in only
    ]


def check(asset: str, *, blocking: bool = False) -> Callable[[Check], Check]:
    """Make a function a check of ``asset``."""

    def define(found_by: Check) -> Check:
        text = " ".join((found_by.__doc__ or "").split())
        name = found_by.__name__
        spec = dg.AssetCheckSpec(name, asset=asset, blocking=blocking, description=text)
        _CHECKS.setdefault(asset, []).append((spec, found_by))
        return found_by

    return define
