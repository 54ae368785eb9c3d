"""Delivers again what landed already: the same bytes, feed, name and parameters, judged afresh.

For deliveries that were blocked before a waiver was approved, or a rule or contract mended; who may ask for it is
decided where it is asked.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row

from fulcrum.errors import DecisionError
from fulcrum.pipeline.deliver import Progress, deliver
from fulcrum.pipeline.report import DeliveryReport
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect


def redeliver(settings: Settings, delivery_id: int, *, progress: Progress | None = None) -> DeliveryReport:
    """Take the landed file of a delivery through the gate once more, as a new delivery.

    What is published already and current is a no-op, as with every repetition.

    Raises:
        DecisionError: there is no such delivery, or its bytes are not in the landing zone.
        FulcrumError: as `deliver`.
    """
    known = _delivery(settings, delivery_id)
    landed = settings.landing / known["sha256"][:2] / known["sha256"]
    if not landed.is_file():
        raise DecisionError(
            f"The file of delivery {delivery_id} is not in the landing zone.", remedy="Ingest the file itself."
        )
    with tempfile.TemporaryDirectory(prefix="fulcrum-again-") as folder:
        file = Path(folder) / Path(known["file_name"]).name  # some contracts read facts from the name
        try:
            file.symlink_to(landed)
        except OSError:  # a file system without links
            shutil.copyfile(landed, file)
        return deliver(settings, known["feed"], file, parameters=known["parameters"], progress=progress)


def _delivery(settings: Settings, delivery_id: int) -> dict[str, Any]:
    with (
        connect(settings, application_name="fulcrum redeliver") as connection,
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        found = cursor.execute(
            "select feed, file_name, sha256, parameters from governance.delivery where delivery_id = %s", [delivery_id]
        ).fetchone()
    if found is None:
        raise DecisionError(f"There is no delivery {delivery_id}.", remedy="`fulcrum deliveries` lists them.")
    return found
