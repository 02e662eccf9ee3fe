"""A real PostgreSQL, thrown away afterwards: a cluster of its own, on a socket alone, that a crash may ruin."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

BINARIES = "/usr/lib/postgresql"  # where Debian has them, by version
USER = "pointsman"
PASSWORD = "geheim/+ %"
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "8MB",
    "max_connections": "60",
}


@dataclass(frozen=True, slots=True)
class Postgres:
    sockets: Path

    def url(self, database: str = "postgres", password: str = PASSWORD) -> str:
        """Without a driver's name, as people write it."""
        return f"postgresql://{USER}:{quote(password, '')}@/{database}?host={quote(str(self.sockets), '')}"

    @contextmanager
    def frozen(self, *names: str) -> Iterator[None]:
        """Those of its processes that serve connections of these applications do nothing; "" is who takes new ones."""
        served = self.run("SELECT application_name, pid FROM pg_stat_activity WHERE application_name <> ''")
        first = int((self.sockets / "data" / "postmaster.pid").read_text().split()[0])
        pids = [pid for name, pid in [("", first), *served] if name in names]
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def empty(self) -> None:
        self.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")

    def run(self, sql: str) -> list[Any]:
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []


def binaries() -> Path | None:
    """Of the newest version that is installed."""
    found = [path for path in Path(BINARIES).glob("*/bin") if (path / "initdb").is_file()]
    return max(found, key=lambda path: float(path.parent.name), default=None)


@contextmanager
def running(programs: Path) -> Iterator[Postgres]:
    home = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path has 107 bytes at most
    password = home / "password"
    password.write_text(PASSWORD)
    who = _nobody_special(home, password)
    data = home / "data"
    made = [
        "-D",
        data,
        "-U",
        USER,
        "-A",
        "scram-sha-256",
        f"--pwfile={password}",
        "--no-sync",
        "--locale=C",
        "-E",
        "UTF8",
    ]
    _run([programs / "initdb", *made], who)
    options = " ".join(f"-c {name}='{value}'" for name, value in SETTINGS.items())
    control = [programs / "pg_ctl", "-D", data, "-w", "-s"]
    try:
        _run([*control, "-l", home / "log", "-o", f"{options} -k {home}", "start"], who)
        yield Postgres(home)
    finally:
        _run([*control, "-m", "immediate", "stop"], who)
        shutil.rmtree(home, ignore_errors=True)


def _nobody_special(*owned: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    for path in owned:
        os.chown(path, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _run(command: list[Any], who: dict[str, Any]) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd="/",
        check=False,
        **who,
    )
    assert done.returncode == 0, done.stderr.decode()
