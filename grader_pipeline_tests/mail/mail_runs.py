"""Assets that fail, are canceled and refresh other days as a test wants, and their mails."""

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError

COLLEAGUES, OWNER = "anna@school.example, boris@school.example", "owner@school.example"
SUCCESS = f"{COLLEAGUES}: Выгрузка grades завершена — отчёт за 31.05.2023"
CHANGED = f"{COLLEAGUES}: Показатели изменились — отчёт за 31.05.2023"
FAILURE = f"{OWNER}: Выгрузка grades не удалась — отчёт за 31.05.2023"
RECOVERED = f"{OWNER}: Выгрузка grades снова в порядке — отчёт за 31.05.2023"

DAYS = dg.DailyPartitionsDefinition("2023-04-01")
trouble: dict[str, BaseException] = {}
"""Day -> what its raw_attempts raises."""
late_trouble: dict[str, BaseException] = {}
"""Day -> what its sheet_report raises after it has written the sheet."""
refreshed: dict[str, list[str]] = {}
"""Day -> the other days that its sheet_report refreshes. Those of "" are for refresh_days."""


CANCELLATION = DagsterExecutionInterruptedError()
"""Raised by a run that is to be canceled."""


def _raise(context: dg.AssetExecutionContext, error: BaseException | None) -> None:
    if error is CANCELLATION:
        context.instance.report_run_canceling(context.run)
    if error is not None:
        raise error


@dg.asset(partitions_def=DAYS)
def raw_attempts(context: dg.AssetExecutionContext) -> None:
    _raise(context, trouble.get(context.partition_key))


@dg.asset(partitions_def=DAYS, deps=[raw_attempts])
def sheet_report(context: dg.AssetExecutionContext):
    for day in refreshed.get(context.partition_key, ()):
        context.log_event(dg.AssetMaterialization("sheet_report", partition=day))
    yield dg.MaterializeResult(metadata={"sheet": dg.MetadataValue.url("https://sheet.example/")})
    _raise(context, late_trouble.get(context.partition_key))


@dg.asset
def refresh_days(context: dg.AssetExecutionContext) -> None:
    for day in refreshed[""]:
        context.log_event(dg.AssetMaterialization("sheet_report", partition=day))


DAY_ASSETS = (raw_attempts, sheet_report)
