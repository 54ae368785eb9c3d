"""The composition root: everything that Dagster knows of Fulcrum, put together in one place.

`dagster dev`, `fulcrum up` and the tests all load this module; it needs no running database.
"""

from __future__ import annotations

import dagster as dg

from assets import mart
from assets.core import core_assets
from assets.raw import raw_assets
from fulcrum.contracts.catalog import load_contracts
from fulcrum.orchestration.derivations import derivation_sensor
from fulcrum.orchestration.drop_folder import drop_folder_sensor
from fulcrum.orchestration.inspections import inspection_job, inspection_schedules
from fulcrum.orchestration.mart import mart_asset
from fulcrum.orchestration.outside import outside_sensor
from fulcrum.orchestration.schedules import deliver_job, derive_job, republish_job, sweep_schedule, valuation_schedule
from fulcrum.settings import Settings, read_settings


def build_defs(settings: Settings | None = None) -> dg.Definitions:
    """Assets, checks, jobs, schedules and sensors for `settings`; by default the environment's.

    Raises:
        ContractError: a contract is wrong; the message names the file.
        GateError: a suite of rules is wrong.
    """
    settings = settings or read_settings()
    contracts = load_contracts(settings)
    deliver, derive, inspect = deliver_job(), derive_job(), inspection_job()
    return dg.Definitions(
        assets=[
            *raw_assets(settings, contracts),
            *core_assets(settings, contracts),
            mart_asset(settings, mart.TABLES),
        ],
        jobs=[deliver, republish_job(), derive, inspect],
        schedules=[
            sweep_schedule(deliver, list(contracts)),
            valuation_schedule(derive),
            *inspection_schedules(inspect),
        ],
        sensors=[
            drop_folder_sensor(deliver, list(contracts)),
            derivation_sensor(derive),
            outside_sensor(contracts),
        ],
        resources={"settings": settings},
        # A process per step costs 2.8 CPU seconds here; runs are processes of their own already.
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads; called when it loads, so importing this module reads no environment."""
    return build_defs()
