"""A certificate for the loopback, signed by itself, and its key."""

import subprocess
from pathlib import Path

import pytest


def self_signed(path: Path) -> Path:
    """Writes both into one file; skips the test where openssl is missing."""
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    certificate = path.with_suffix(".crt")
    try:
        command = [*made, *subject, "-days", "2", "-keyout", path, "-out", certificate]
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    path.write_bytes(path.read_bytes() + certificate.read_bytes())
    return path
