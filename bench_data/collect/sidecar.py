"""collected.json: where the rows come from, who refused to give some, and which run wrote what."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tables import FolderUnusable, damaged, read_json, write_json

SCHEMA = "roofserve.collected/1"
FILE_NAME = "collected.json"
# What must be the same for rows to stand in one folder.
IDENTITY = ("device", "versions", "method")
# The kind of error that PyTorch raises where the card has no memory left, as refusals begin.
OUT_OF_MEMORY = "OutOfMemoryError"
# Machines of one kind differ a little in what their cards leave for use.
SAME_MEMORY_FRACTION = 0.02


class FolderTaken(FolderUnusable):
    """The output folder holds rows of another device, of other versions or of another method."""


class Sidecar:
    """The file beside the tables; written again after every change, whole or not at all."""

    def __init__(self, folder: Path, identity: dict[str, Any], program: str) -> None:
        """`program` names the sources that measure now: what others refused is tried again."""
        self._file = folder / FILE_NAME
        self._program = program
        self._here = {name: identity[name] for name in ("device", "versions")}
        self.document: dict[str, Any] = {"schema": SCHEMA, **identity, "sessions": [], "refused": {}, "tuned": {}}
        known = read_collected(folder)
        if known is not None:
            _require_same(self._file, known, identity)
            forget_what_may_go_well(known, program)
            self.document = known
        elif any(folder.glob("**/*.csv")):
            raise FolderTaken(
                f"{folder} holds tables, but no {FILE_NAME} says where they come from; give another --out"
            )
        self.document["program"] = program

    def start_session(self, arguments: list[str]) -> dict[str, Any]:
        """Adds a session; the caller fills in what happens."""
        start = {"startedUtc": utc_now(), "program": self._program, "arguments": arguments, **self._here}
        session: dict[str, Any] = {**start, "rowsWritten": 0, "suites": []}
        self.document["sessions"].append(session)
        return session

    @property
    def refused(self) -> dict[str, str]:
        """Rows and suites that cannot be measured here, and why."""
        refused: dict[str, str] = self.document["refused"]
        return refused

    @property
    def tuned(self) -> dict[str, Any]:
        """Implementations that were tried, and the one that won."""
        tuned: dict[str, Any] = self.document["tuned"]
        return tuned

    def write(self) -> None:
        write_json(self._file, self.document)


def program_hash(folder: Path) -> str:
    """Of everything that decides what is measured: the same for the same sources, with or without git."""
    digest = hashlib.sha256()
    for file in sorted([*folder.glob("*.py"), *folder.glob("*/*.py"), folder / "shapes.json"]):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def read_collected(folder: Path) -> dict[str, Any] | None:
    """The sidecar of a folder, None where it has none; FolderUnusable where it is not one."""
    file = folder / FILE_NAME
    if not file.exists():
        return None
    known = read_json(file)
    if known.get("schema") != SCHEMA:
        raise FolderTaken(f"{file}: schema is {known.get('schema')}, must be {SCHEMA}; give another --out")
    kinds = {"device": dict, "versions": dict, "method": dict, "sessions": list, "refused": dict, "tuned": dict}
    if not all(isinstance(known.get(name), kind) for name, kind in kinds.items()):
        raise damaged(file)
    return known


def utc_now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def planned_device(folder: Path, here: dict[str, Any]) -> dict[str, Any]:
    """
    The device to plan rows for: that of the folder's first session, so that another machine of the kind plans the same
    rows although its card has a little more memory; else the one here.
    """
    known: dict[str, Any] = (read_collected(folder) or {}).get("device", {})
    return known if _is_same("device", known, here) else here


def forget_what_may_go_well(known: dict[str, Any], program: str) -> None:
    """Drops what a new session tries again: all that other sources refused, and what found no memory."""
    if known.get("program") != program:
        known["refused"] = {}
        _forget_failures(known["tuned"])
    _forget_want_of_memory(known)


def _forget_failures(tuned: dict[str, Any]) -> None:
    """What did not run with other sources is tried again; errors that were measured stay."""
    for entry in tuned.values():
        if "errors" in entry:
            entry["errors"] = {name: error for name, error in entry["errors"].items() if isinstance(error, float)}


def _forget_want_of_memory(known: dict[str, Any]) -> None:
    """Somebody else may have used the card: what found no memory gets another try in every session."""
    known["refused"] = {what: why for what, why in known["refused"].items() if not _wants_memory(why)}
    known["tuned"] = {what: entry for what, entry in known["tuned"].items() if not _wants_memory(entry.get("failed"))}
    for entry in known["tuned"].values():
        if "errors" in entry:
            entry["errors"] = {name: error for name, error in entry["errors"].items() if not _wants_memory(error)}


def _wants_memory(reason: Any) -> bool:
    """Whether memory was the reason, or one of several."""
    return OUT_OF_MEMORY in str(reason)


def _is_same(part: str, was: Any, now: Any) -> bool:
    """
    Whether rows go together: the same method, the same libraries whatever the Python, and a device of the same make
    whatever the patch level of its driver, which is None where nvidia-smi did not answer.
    """
    if part == "versions":
        return {**was, "python": None} == {**now, "python": None}
    if part != "device":
        return bool(was == now)
    was_bytes, now_bytes = was.get("memoryBytes") or 0, now.get("memoryBytes") or 0
    loose = {"memoryBytes": None, "driver": None}
    drivers = [_driver_branch(was), _driver_branch(now)]
    return (
        {**was, **loose} == {**now, **loose}
        and abs(was_bytes - now_bytes) <= SAME_MEMORY_FRACTION * was_bytes
        and (None in drivers or drivers[0] == drivers[1])
    )


def _driver_branch(device: dict[str, Any]) -> str | None:
    """`580.159.03` -> `580`."""
    driver = device.get("driver")
    return None if driver is None else str(driver).split(".")[0]


def _require_same(file: Path, known: dict[str, Any], identity: dict[str, Any]) -> None:
    for part in IDENTITY:
        if not _is_same(part, known[part], identity[part]):
            was, now = json.dumps(known[part], sort_keys=True), json.dumps(identity[part], sort_keys=True)
            raise FolderTaken(
                f"{file}: the rows in this folder were measured with another {part}, and would not go with new ones. "
                f"Give another --out.\n  there: {was}\n  here:  {now}"
            )
