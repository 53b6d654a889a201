"""A comparison told to people and programs: a table for the terminal, a JSON document, one self-contained page."""

from stream.backtest.report.document import document
from stream.backtest.report.page import page
from stream.backtest.report.table import paid, tables

__all__ = ["document", "page", "paid", "tables"]
