"""What the run launchers of one machine and of many have in common.

A run launcher starts, stops and checks runs. Dagster has its base in a private module and no
public one, so this is the only module that imports it.
"""

import time
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._serdes import ConfigurableClass, ConfigurableClassData

_LAUNCH_SECONDS = 5
"""So long after the event that it starts, a run is being launched, or was: it takes 0.1 s."""


class BaseRunLauncher(RunLauncher, ConfigurableClass):
    """Knows the runs that it is launching. A subclass asks whoever has the runs under way."""

    LOST: str | None = None
    """What Dagster shows of a run that nothing has."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._inst_data = inst_data
        self._launching: set[str] = set()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """The part of dagster.yaml that configures this."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """What dagster.yaml has to set: the arguments of the class."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> Self:
        """Make the run launcher that a dagster.yaml configures."""
        return cls(inst_data=inst_data, **config_value)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start the run. Dagster shows what :meth:`launch` raises as the run's failure."""
        run = context.dagster_run
        self._launching.add(run.run_id)
        try:
            self.launch(run)
        finally:
            self._launching.discard(run.run_id)

    def terminate(self, run_id: str) -> bool:
        """Interrupt the run, which then ends as canceled. False if nothing has it.

        Raises what :meth:`interrupt` raises. The monitoring cancels the run then.
        """
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        return self.interrupt(run)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether Dagster's monitoring may ask for the health of runs under way."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the run is being launched, or something has it.

        Not UNKNOWN while nobody knows: Dagster would fail the run. Raises what :meth:`lives`
        raises. The monitoring then asks again later.
        """
        if run.run_id in self._launching or self.lives(run.run_id):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, self.LOST)

    @abstractmethod
    def launch(self, run: dg.DagsterRun) -> None:
        """Start a run."""

    @abstractmethod
    def interrupt(self, run: dg.DagsterRun) -> bool:
        """Interrupt a run that is to be canceled. False if nothing has it."""

    @abstractmethod
    def lives(self, run_id: str) -> bool:
        """Whether something has the run. What is left of one that is lost is cleaned up."""


def is_lost(instance: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    """Whether a run starts, is not being launched, and has no process.

    Raises what the run launcher raises if nobody answers. The monitoring then asks again later.
    """
    run = record.dagster_run
    age = time.time() - record.update_timestamp.timestamp()
    if run.status is not dg.DagsterRunStatus.STARTING or age < _LAUNCH_SECONDS:
        return False
    if instance.run_launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING:
        return False
    # It may have started, and ended, since its record was read.
    now = instance.get_run_by_id(run.run_id)
    return now is not None and now.status is dg.DagsterRunStatus.STARTING
