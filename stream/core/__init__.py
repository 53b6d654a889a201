"""The deterministic core: (state, records, rules) -> (new state, bonuses).

Nothing in this package does I/O, reads a clock, draws a random number or logs. It imports the standard
library and itself, nothing else of the project; an import-linter contract holds it to that.
"""
