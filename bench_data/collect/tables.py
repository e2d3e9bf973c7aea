"""Files of results: every row is on the disk as soon as it is known, and an interrupted run goes on from there."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cases import Case, Cell

# Columns that every row has after those of its key and of its suite.
RESULT_COLUMNS = ("latency_us", "kernel", "runs", "repeatability_fraction", "device", "source")

STEPS_SCHEMA = "roofserve.wholeSteps/1"


class FolderUnusable(Exception):
    """A file of the output folder cannot be read or written, or is not as this program writes it; says what to do."""


@contextlib.contextmanager
def told(file: Path) -> Iterator[None]:
    """Whatever the disk says about a file becomes FolderUnusable."""
    try:
        yield
    except OSError as error:
        raise FolderUnusable(
            f"{file}: {error.strerror or error}; every row written before is there: mend that, "
            "and run the same command again"
        ) from error


class Table:
    """An append-only CSV file. A last line that a killed run left half written is cut off."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.columns: list[str] = []
        self._rows: list[dict[str, str]] = []
        # Keys of the rows, by the columns that make a key; filled when first asked for.
        self._keys: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        # Where a torn line begins, which only an append may cut off: a plan reads what others may be writing.
        self._torn_at: int | None = None
        with told(file):
            if file.exists():
                content = file.read_bytes()
                end = content.rfind(b"\n") + 1
                self._torn_at = end if end < len(content) else None
                reader = csv.DictReader(io.StringIO(content[:end].decode(errors="replace"), newline=""))
                self.columns = list(reader.fieldnames or [])
                self._rows = list(reader)

    def holds(self, key: dict[str, Cell]) -> bool:
        """Whether a row with these cells is there; FolderUnusable where the file has no such columns."""
        names = tuple(key)
        if names not in self._keys:
            if self.columns:
                self._require_columns(set(names) - set(self.columns))
            self._keys[names] = {_key_of(row, names) for row in self._rows}
        return tuple(_text(value) for value in key.values()) in self._keys[names]

    def append(self, cells: dict[str, Cell]) -> None:
        """
        Writes a row; FolderUnusable where its columns are not the file's, or the disk is full. Once it returns, the
        row outlives the process: whoever copies the folder then has it. It is not forced through to the disk, which would
        take as long as to measure it.
        """
        if not self.columns:
            self._write(",".join(cells) + "\n")
            self.columns = list(cells)
        self._require_columns(set(cells) ^ set(self.columns))
        row = {name: _text(cells[name]) for name in self.columns}
        self._write(",".join(row.values()) + "\n")
        self._rows.append(row)
        for names, keys in self._keys.items():
            keys.add(_key_of(row, names))

    def _require_columns(self, odd: set[str]) -> None:
        if odd:
            raise FolderUnusable(
                f"{self.file}: only the file or only this program has the columns {', '.join(sorted(odd))}: "
                "another version wrote it; move the file away or give another --out"
            )

    def _write(self, text: str) -> None:
        with told(self.file):
            if self._torn_at is not None:
                os.truncate(self.file, self._torn_at)
                self._torn_at = None
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("a", newline="") as stream:
                stream.write(text)


class Tables:
    """All files of rows of an output folder: CSV, and JSON for steps."""

    def __init__(self, folder: Path, head: dict[str, Any]) -> None:
        self.folder = folder
        self._head = head
        self._tables: dict[str, Table | StepFile] = {}

    def table(self, path: str) -> Table | StepFile:
        """The file at a path relative to the folder."""
        if path not in self._tables:
            file = self.folder / path
            self._tables[path] = StepFile(file, self._head) if path.endswith(".json") else Table(file)
        return self._tables[path]

    def holds(self, case: Case) -> bool:
        return self.table(case.table).holds(case.key)


class StepFile:
    """A JSON document of measured steps, written again, whole or not at all, with every step."""

    def __init__(self, file: Path, head: dict[str, Any]) -> None:
        self._file = file
        self._document: dict[str, Any] = {"schema": STEPS_SCHEMA, **head, "steps": []}
        if file.exists():
            self._document = read_json(file)
            if not isinstance(self._document.get("steps"), list):
                raise damaged(file)

    def holds(self, key: dict[str, Cell]) -> bool:
        """Whether a step with these values is there."""
        return any(all(step.get(name) == value for name, value in key.items()) for step in self._document["steps"])

    def append(self, step: dict[str, Any]) -> None:
        self._document["steps"].append(step)
        write_json(self._file, self._document)


def read_json(file: Path) -> dict[str, Any]:
    """An object of JSON; FolderUnusable where it is none, as after a copy that broke off."""
    try:
        with told(file):
            document = json.loads(file.read_text())
    except ValueError as error:
        raise damaged(file) from error
    if not isinstance(document, dict):
        raise damaged(file)
    return document


def damaged(file: Path) -> FolderUnusable:
    return FolderUnusable(
        f"{file} is cut or damaged: copy the folder again from where it was written, or give another --out"
    )


def write_json(file: Path, document: Any) -> None:
    """Writes a JSON file whole or not at all."""
    partial = file.with_name(f"{file.name}.partial")
    with told(file):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("w") as stream:
                json.dump(document, stream, indent=1, ensure_ascii=False)
                stream.write("\n")
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(file)
        except OSError:
            # On a full disk what it takes is missing elsewhere.
            with contextlib.suppress(OSError):
                partial.unlink()
            raise


def median(values: Sequence[float]) -> float:
    """Middle value, or the mean of the two middle ones; ValueError of nothing."""
    if not values:
        raise ValueError("no values to take a median of")
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 == 1 else (ordered[middle - 1] + ordered[middle]) / 2


def _key_of(row: dict[str, str], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(row.get(name, "") for name in names)


def _text(value: Cell) -> str:
    """A cell that needs no quotes: numbers with as many digits as a clock can tell."""
    if isinstance(value, float):
        return f"{value:.1f}" if abs(value) >= 1000 else f"{value:.5g}" if abs(value) >= 1e-4 else f"{value:.6f}"
    text = str(value)
    if any(character in text for character in ',"\r\n'):
        raise ValueError(f"a cell must not hold commas, quotes or line breaks: {text!r}")
    return text
