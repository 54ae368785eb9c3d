"""The embedded server's settings: durable, private, modest in memory, quick at bulk loads.

Tuning for one machine belongs in `ALTER SYSTEM`, which overrides this file and survives it.
"""

from __future__ import annotations

import os
from pathlib import Path

FILE_NAME = "fulcrum.conf"
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 looked at for its size, never written
_SHARED_MEMORY_NEEDED = 512 * 1024**2

# Only those who may enter the socket's folder (its owner and root) can connect at all.
HOST_BASED_AUTHENTICATION = "local all all trust\n"


def settings_text(*, socket_dir: Path, log_dir: Path, has_lz4: bool) -> str:
    """The content of `fulcrum.conf`, which `postgresql.conf` includes last."""
    values: dict[str, str | int | float] = {
        "listen_addresses": "",
        "port": 5432,
        "unix_socket_directories": str(socket_dir),
        "unix_socket_permissions": "0777",  # the folder is what keeps others out
        "max_connections": 200,
        "shared_buffers": "256MB",
        "work_mem": "32MB",
        "maintenance_work_mem": "256MB",
        "effective_cache_size": "2GB",
        "max_wal_size": "4GB",
        "min_wal_size": "256MB",
        "checkpoint_timeout": "15min",
        "wal_compression": "lz4" if has_lz4 else "off",  # pglz would cost the CPU that loads need
        "synchronous_commit": "on",
        "random_page_cost": 1.1,
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "dynamic_shared_memory_type": "posix" if _has_shared_memory() else "mmap",
        "idle_in_transaction_session_timeout": "15min",
        # A killed client left a statement of the gate behind that took a core for 24 minutes.
        "client_connection_check_interval": "5s",
        "logging_collector": "on",
        "log_directory": str(log_dir),
        "log_filename": "postgres-%a.log",  # seven files, each begun anew after a week
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": 0,
        "log_line_prefix": "%m [%p] %q%a@%d ",
        # DETAIL, CONTEXT and failed statements may hold clients' data
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "log_startup_progress_interval": "5s",
    }
    lines = [f"{name} = {_quoted(value)}" for name, value in values.items()]
    return "# Written by Fulcrum at every start; use ALTER SYSTEM to change a setting.\n" + "\n".join(lines) + "\n"


def _quoted(value: object) -> str:
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"


def _has_shared_memory() -> bool:
    """False in containers, whose /dev/shm has 64 MB: parallel queries would fail in it."""
    try:
        found = os.statvfs(_SHARED_MEMORY)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize >= _SHARED_MEMORY_NEEDED
