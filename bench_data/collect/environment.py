"""What the measurements ran on. Only asks: no setting of the GPU is ever changed."""

from __future__ import annotations

import functools
import os
import platform
import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from typing import Any

# Fields of `nvidia-smi --query-gpu`, and the names they get; those that a card does not know come back as null.
SMI_FIELDS = {
    "clocks.sm": "smClockMhz",
    "clocks.mem": "memoryClockMhz",
    "power.draw": "powerW",
    "temperature.gpu": "temperatureC",
    "utilization.gpu": "utilizationPercent",
    # The name before driver 535, and the one since.
    "clocks_throttle_reasons.active": "throttleReasons",
    "clocks_event_reasons.active": "eventReasons",
}
SMI_CARD_FIELDS = {
    "driver_version": "driver",
    "clocks.max.sm": "maxSmClockMhz",
    "clocks.max.mem": "maxMemoryClockMhz",
    "power.limit": "powerLimitW",
    "ecc.mode.current": "eccMode",
    "mig.mode.current": "migMode",
}
SMI_TIMEOUT_S = 10.0
# Rare enough to disturb nothing.
SAMPLE_EVERY_S = 5.0


def smi_card(uuid: str | None) -> str | None:
    """
    The card that a CUDA device of this UUID is, or is a MIG slice of, as `nvidia-smi --id` takes it. Not its number:
    CUDA counts only what it may see, in an order of its own. None without nvidia-smi, or where it lists no such card.
    """
    if not uuid or shutil.which("nvidia-smi") is None:
        return None
    bare = uuid.removeprefix("GPU-").removeprefix("MIG-")
    card = None
    for line in (_run_smi("--list-gpus") or "").splitlines():
        # Slices are listed below their card.
        listed = re.search(r"\(UUID: ((GPU|MIG)-[^)]+)\)", line)
        if listed is None:
            continue
        if listed[2] == "GPU":
            card = listed[1]
        if bare in listed[1]:
            return card
    return None


def cuda_uuid(index: int) -> str | None:
    """The UUID of a CUDA device; None where this PyTorch does not tell it."""
    import torch

    uuid = getattr(torch.cuda.get_device_properties(index), "uuid", None)
    return None if uuid is None else str(uuid)


def query_smi(fields: dict[str, str], card: str | None) -> dict[str, Any] | None:
    """Asks nvidia-smi for all fields that it knows of a card; None where there is none or it does not answer."""
    known = _known_fields(tuple(fields), card) if card is not None else ()
    answer = _ask_smi({field: fields[field] for field in known}, card) if known else None
    return None if answer is None else {**dict.fromkeys(fields.values()), **answer}


@functools.cache
def _known_fields(fields: tuple[str, ...], card: str) -> tuple[str, ...]:
    """One unknown field makes nvidia-smi refuse them all: then each is asked for alone."""
    if shutil.which("nvidia-smi") is None:
        return ()
    if _ask_smi({field: field for field in fields}, card) is not None:
        return fields
    return tuple(field for field in fields if _ask_smi({field: field}, card) is not None)


def _ask_smi(fields: dict[str, str], card: str | None) -> dict[str, Any] | None:
    answer = _run_smi(f"--id={card}", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits")
    cells = (answer or "").strip().split("\n")[0].split(", ")
    if answer is None or len(cells) != len(fields):
        return None
    return {name: _value(cell.strip()) for name, cell in zip(fields.values(), cells, strict=True)}


def _run_smi(*arguments: str) -> str | None:
    """What nvidia-smi answers; None where it fails."""
    try:
        done = subprocess.run(
            ["nvidia-smi", *arguments], capture_output=True, text=True, timeout=SMI_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _value(cell: str) -> Any:
    if cell.startswith("[") or cell in ("", "N/A"):
        return None
    try:
        return float(cell)
    except ValueError:
        return cell


class SmiLog:
    """Samples clocks, power and temperature while suites run, in a thread of its own."""

    def __init__(self, query: Callable[[], dict[str, Any] | None]) -> None:
        self._query = query
        self._samples: list[dict[str, Any]] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._samples = []
        first = self._query()
        if first is None:
            return
        self._samples.append(first)
        self._stop.clear()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_EVERY_S):
            sample = self._query()
            if sample is not None:
                self._samples.append(sample)

    def stop(self) -> dict[str, Any] | None:
        """What was seen: before, after, and the range of each number in between; None without nvidia-smi."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join()
            self._thread = None
            last = self._query()
            if last is not None:
                self._samples.append(last)
        if not self._samples:
            return None
        during: dict[str, Any] = {}
        for name in SMI_FIELDS.values():
            values = [sample[name] for sample in self._samples if sample.get(name) is not None]
            numbers = [value for value in values if isinstance(value, float)]
            during[name] = [min(numbers), max(numbers)] if numbers else sorted(set(map(str, values)))
        return {"before": self._samples[0], "during": during, "after": self._samples[-1]}


def describe_device(device: str, index: int) -> dict[str, Any]:
    """Name, size and driver of the GPU; of the CPU only that it is one."""
    if device == "cpu":
        return {"name": "cpu", "driver": None}
    import torch

    properties = torch.cuda.get_device_properties(index)
    card = describe_card(index) or {}
    return {
        "name": properties.name,
        "computeCapability": f"{properties.major}.{properties.minor}",
        "numSms": properties.multi_processor_count,
        "memoryBytes": properties.total_memory,
        "l2Bytes": getattr(properties, "L2_cache_size", None),
        "driver": card.get("driver"),
    }


def describe_card(index: int) -> dict[str, Any] | None:
    """Limits and modes, which a session notes; None without nvidia-smi."""
    return query_smi(SMI_CARD_FIELDS, smi_card(cuda_uuid(index)))


def why_no_cuda() -> str:
    """What may be done about a PyTorch that finds no GPU."""
    import torch

    if torch.version.cuda is None and torch.version.hip is None:
        return f"this PyTorch ({torch.__version__}) is built without CUDA: install one that is built with it"
    seen = os.environ.get("CUDA_VISIBLE_DEVICES")
    hidden = "" if seen is None else f"; CUDA_VISIBLE_DEVICES is {seen!r}"
    return f"this PyTorch ({torch.__version__}) has CUDA, but finds no GPU: see what nvidia-smi says{hidden}"


def describe_versions() -> dict[str, Any]:
    """Versions of everything that decides which kernel runs."""
    import torch

    try:
        import triton

        triton_version: str | None = triton.__version__
    except ImportError:
        triton_version = None
    cudnn = torch.backends.cudnn.version() if torch.backends.cudnn.is_available() else None
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": cudnn,
        "triton": triton_version,
    }
