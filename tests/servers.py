"""A PostgreSQL server that the tests start for themselves and stop again."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest


def _server_binaries():
    """The folder of initdb and pg_ctl, or None where no server is installed."""
    found = shutil.which("pg_ctl")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


@contextmanager
def postgresql_server():
    """URL of the database `postgres` of a fresh server, listening on a socket and a free local port; skips where none is."""
    binaries = _server_binaries()
    if binaries is None:
        pytest.skip("needs a PostgreSQL server: install the package postgresql")
    user = None
    if os.geteuid() == 0:  # the server refuses to run as root
        user = next((name for name in ("postgres", "nobody") if any(entry.pw_name == name for entry in pwd.getpwall())), None)
        if user is None:
            pytest.skip("needs a user other than root to run PostgreSQL as")
    with tempfile.TemporaryDirectory(prefix="triage-pg-") as folder:
        if user is not None:
            shutil.chown(folder, user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        data = f"{folder}/data"

        def command(*arguments):
            subprocess.run(
                [binaries / arguments[0], *arguments[1:]], check=True, user=user, stdout=subprocess.DEVNULL, cwd=folder
            )

        command("initdb", "-D", data, "-U", "triage", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
        command("pg_ctl", "-D", data, "-w", "-l", f"{folder}/log", "-o", f"-p {port} -k {folder} -h 127.0.0.1 -F", "start")
        try:
            yield f"postgresql+psycopg://triage@127.0.0.1:{port}/postgres"
        finally:
            command("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
