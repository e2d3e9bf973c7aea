"""The kernel shapes to measure, as roofserve's description of the built-in models has them (shapes.json)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHAPES_FILE = Path(__file__).with_name("shapes.json")
SCHEMA = "roofserve.collectShapes/1"


@dataclass(frozen=True)
class Shapes:
    """Lists in the order in which their kernels are worth measuring."""

    matrices: list[dict[str, Any]]
    heads: list[dict[str, Any]]
    experts: list[dict[str, Any]]
    elementwise: list[dict[str, Any]]
    vocabularies: list[dict[str, int]]
    models: list[dict[str, Any]]
    gpus: list[dict[str, Any]]

    def model_ranks(self) -> dict[str, int]:
        """Rank of each model, 0 for the one measured first; models that need no shape of their own have none."""
        ranks: dict[str, int] = {}
        for shape in [*self.matrices, *self.heads, *self.experts]:
            ranks.setdefault(shape["firstFor"], len(ranks))
        return ranks


def load_shapes(file: Path = SHAPES_FILE) -> Shapes:
    """Reads shapes.json; ValueError when it is of another version."""
    document = json.loads(file.read_text())
    if document.get("schema") != SCHEMA:
        raise ValueError(
            f"{file}: schema is {document.get('schema')}, must be {SCHEMA}; take it from the same checkout"
        )
    return Shapes(**{name: document[name] for name in Shapes.__dataclass_fields__})


def gpu_folder(device_name: str, gpus: list[dict[str, Any]]) -> str:
    """Folder of a GPU's tables by the name that CUDA reports: roofserve's id, or the name itself in small letters."""
    wanted = _bare_name(device_name)
    for gpu in gpus:
        if any(_bare_name(name) == wanted for name in [gpu["id"], *gpu["names"]]):
            return str(gpu["id"]).lower()
    return re.sub(r"[^a-z0-9]+", "-", device_name.lower()).strip("-")


def _bare_name(name: str) -> str:
    """`NVIDIA A100-SXM4-80GB` -> `a100sxm480`, as roofserve compares names."""
    without_vendor = re.sub(r"^\s*nvidia", "", name.lower())
    return re.sub(r"[^a-z0-9]", "", re.sub(r"(?<=\d)\s*gb", "", without_vendor))
