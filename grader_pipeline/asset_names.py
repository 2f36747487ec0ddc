"""The names of the five assets, in the data's order. Other systems rely on them."""

RAW_ATTEMPTS = "raw_attempts"
VALIDATED_ATTEMPTS = "validated_attempts"
GRADER_TABLE = "grader_table"
METRICS = "metrics"
SHEET_REPORT = "sheet_report"

ASSET_NAMES = (RAW_ATTEMPTS, VALIDATED_ATTEMPTS, GRADER_TABLE, METRICS, SHEET_REPORT)

DAILY_METRICS = "daily_metrics"
"""The report that the sheet and the mail cannot do without. It is an asset like every report."""
