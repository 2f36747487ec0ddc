"""What colleagues read, in Russian: the sheet's rows, the mail's sentences, numbers and chart.

Everything here is decided from the database's numbers and knows nothing of how it is delivered.
"""
