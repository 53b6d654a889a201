"""Programmes: YAML files -> checked documents -> rules of the core; every mistake has file, line and field.

``load`` reads a folder; ``compile_documents`` restores rules from what ``load`` gave to store; ``changed`` says
which loaded versions were tampered with; ``review`` also says what is allowed but probably not meant.
"""

from stream.programs.documents import changed, compile_documents
from stream.programs.load import Loaded, load
from stream.programs.mistakes import Mistake
from stream.programs.review import review

__all__ = ["Loaded", "Mistake", "changed", "compile_documents", "load", "review"]
