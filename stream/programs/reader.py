"""From YAML text to plain values that know their line.

PyYAML parses; what the parts mean is decided here, after YAML 1.2's core schema: ``NO`` is the text NO, a time stays
text, a number with a fraction or an exponent is a ``Decimal`` of its own digits, ``010`` is text. What could hide
something from a reader of the file (a key given twice, anchors, aliases, tags) is a mistake. A file is bounded:
``MAX_BYTES`` long, ``MAX_DEPTH`` deep.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

import yaml

from stream.programs.mistakes import MAX_SHOWN, Mistake, Path, field_name, quoted

MAX_BYTES = 256 * 1024
MAX_DEPTH = 100
MAX_NUMBER = 40
MAX_PROBLEM = 120
MAX_UNREADABLE = 20
"""After so many documents that are no YAML the rest of a file is left unread."""

Value = None | bool | int | Decimal | str | list["Value"] | dict[str, "Value"]

INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)?(\.[0-9]+|(?<=[0-9])\.?)([eE][-+]?[0-9]{1,4})?")
WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
IN_A_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
"""A key that is what follows the comma of ``1,000``; no key of the language looks so."""
_DOCUMENT = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
SURROGATE = re.compile("[\ud800-\udfff]")


class Place(NamedTuple):
    """The line of a key or list entry, and what was found there, fit to print."""

    line: int
    found: str


@dataclass(slots=True)
class Document:
    """One ``---`` document: its value, where each part of it is, and what was wrong with its YAML."""

    file: str
    value: Value = None
    places: dict[Path, Place] = field(default_factory=dict)
    mistakes: dict[Path, Mistake] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """The line of ``path``, or of the innermost mapping or list around it that exists."""
        while path not in self.places:
            path = path[:-1]
        return self.places[path].line

    def mistake(self, path: Path, problem: str) -> Mistake:
        """A mistake at ``path``, which may name a key that is missing."""
        return Mistake(self.file, self.line(path), field_name(path), problem)


class Reading(NamedTuple):
    """The documents of a file, empty ones left out, and what kept others from being read."""

    documents: list[Document]
    mistakes: list[Mistake]


class _Unreadable(Exception):
    """The rest of the document can't be understood."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem


def read(file: str, content: bytes) -> Reading:
    """Read the documents of one file; ``file`` is its name in mistakes. Raises nothing, whatever ``content`` is."""
    reading = Reading([], [])
    try:
        text, began = _decode(content), 0
    except _Unreadable as error:
        return Reading([], [Mistake(file, error.line, "", error.problem)])
    while len(reading.mistakes) < MAX_UNREADABLE:
        try:
            for document in _documents(file, text):
                if document.value is not None or document.mistakes:
                    reading.documents.append(document)
            break
        except _Unreadable as error:
            mistake = Mistake(file, error.line, "", error.problem)
        if mistake not in reading.mistakes:
            reading.mistakes.append(mistake)
        # What is wrong may only have shown at the next document's start, or lie in the line of its own.
        following = _next_document(text, max(mistake.line, began + 1))
        if following is None:
            break
        began, text = following
    return reading


def _next_document(text: str, line: int) -> tuple[int, str] | None:
    """The first line from ``line`` on that begins a document, and the text from there on, below as many empty lines;
    None where there is none."""
    number, at = 1, 0
    for start in _DOCUMENT.finditer(text):
        number += len(_LINE_BREAK.findall(text, at, start.start()))
        at = start.start()
        if number >= line:
            return number, "\n" * (number - 1) + text[at:]
    return None


def _decode(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise _Unreadable(1, f"expected a file of at most {MAX_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Unreadable(content.count(b"\n", 0, error.start) + 1, "expected UTF-8 text") from None


def _events(text: str) -> Iterator[yaml.Event]:
    """PyYAML's events; its errors become ours."""
    line = 1
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            line = _line(event)
            yield event
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = f"not YAML: {(error.problem or '')[:MAX_PROBLEM]}{_hint(error, text)}"
        raise _Unreadable(mark.line + 1 if mark else line, problem) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _Unreadable(
            line, f"not YAML: the character U+{ord(text[error.position]):04X} is not allowed"
        ) from None
    except (ValueError, OverflowError):  # PyYAML lets these out for "\UFFFFFFFF" and for %YAML 1.9999…
        raise _Unreadable(line, "not YAML: a number in an escape or a directive is out of range") from None


def _hint(error: yaml.MarkedYAMLError, text: str) -> str:
    """What mostly brings about an error of PyYAML whose own words don't say it."""
    problem, mark = error.problem or "", error.problem_mark
    if "'\\t'" in problem:
        return " (indent with spaces)"
    if problem == "could not find expected ':'" and error.context_mark is not None:
        return f" (line {error.context_mark.line + 1} has no colon with a blank after it)"
    if mark is None or not problem.startswith("mapping values are not allowed"):
        return ""
    before = _LINE_BREAK.split(text)[mark.line][: mark.column]
    if before.startswith("---"):
        return " (begin a mapping in the line below)"
    if ": " in before:
        return " (a second colon in one line: put a mapping in braces, a text in quotes)"
    # The text of the line before goes on in this one.
    return " (is a blank missing after the colon of the line before, or is this line indented too far?)"


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _documents(file: str, text: str) -> Iterator[Document]:
    events = _events(text)
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            document = Document(file)
            root = next(events)
            document.value = _Composer(document, events).value((), root, _line(root))
            next(events)  # its end: what begins like a document may be none
            yield document


class _Composer:
    """Builds one document's value out of the stream of events."""

    def __init__(self, document: Document, events: Iterator[yaml.Event]) -> None:
        self._document = document
        self._events = events

    def value(self, path: Path, event: yaml.Event, line: int) -> Value:
        """The value that starts with ``event``; ``line`` is its key's, where it has one, else its own."""
        if len(path) > MAX_DEPTH:
            raise _Unreadable(line, f"expected at most {MAX_DEPTH} levels of nesting")
        places = self._document.places
        match event:
            case yaml.MappingStartEvent():
                places[path] = Place(line, "a mapping")
                self._plain(path, event)
                return self._mapping(path)
            case yaml.SequenceStartEvent():
                places[path] = Place(line, "a list")
                self._plain(path, event)
                return self._list(path)
            case yaml.ScalarEvent():
                value = _scalar(event)
                places[path] = Place(line, quoted(value) if isinstance(value, str) else event.value or "null")
                self._plain(path, event)
                return value
            case _:
                places[path] = Place(line, "an alias")
                self._mistake(path, "expected the value itself, found an alias")
                return None

    def _mapping(self, path: Path) -> dict[str, Value]:
        entries: dict[str, Value] = {}
        for key in self._events:
            if isinstance(key, yaml.MappingEndEvent):
                break
            line = _line(key)
            if not isinstance(key, yaml.ScalarEvent):
                raise _Unreadable(line, "expected a plain word as a key")
            inner = (*path, key.value)
            before = self._document.places.get(inner)
            entries[key.value] = self.value(inner, next(self._events), line)
            self._plain(inner, key)
            if before and not IN_A_NUMBER.fullmatch(key.value):
                self._mistake(inner, f"the key is there twice, first in line {before.line}")
        return entries

    def _list(self, path: Path) -> list[Value]:
        entries: list[Value] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            entries.append(self.value((*path, len(entries)), event, _line(event)))
        return entries

    def _plain(self, path: Path, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.anchor is not None:
            self._mistake(path, f"expected no anchor, found &{event.anchor[:MAX_SHOWN]}")
        if event.tag is not None:
            self._mistake(path, f"expected no tag, found {quoted(event.tag)}")
        if isinstance(event, yaml.ScalarEvent) and SURROGATE.search(event.value):
            self._mistake(path, "expected the character itself, found half of a surrogate pair")

    def _mistake(self, path: Path, problem: str) -> None:
        self._document.mistakes.setdefault(path, self._document.mistake(path, problem))


def _scalar(event: yaml.ScalarEvent) -> Value:
    text: str = event.value
    if event.style is not None:
        return text
    if text in WORDS:
        return WORDS[text]
    if len(text) <= MAX_NUMBER and INTEGER.fullmatch(text):
        return int(text)
    if len(text) <= MAX_NUMBER and DECIMAL.fullmatch(text):
        return Decimal(text)
    return text
