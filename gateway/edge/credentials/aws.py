"""Where AWS's keys are: in a document, in the environment, at the role of a workload, in a file, at the machine.

The order is that of AWS's own tools ("Credential provider chain"): variables, web identity (EKS), the container's agent
(ECS, EKS Pod Identity), the shared credentials file, the instance's metadata. Single sign-on and processes are not
asked.
"""

import configparser
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gateway.core.credential import AwsKeys
from gateway.edge.credentials.fetch import fetch, fetch_json
from gateway.edge.credentials.minted import Mint, Minted, MintError

CONTAINER = "http://169.254.170.2"
METADATA = "http://169.254.169.254"
_PAIR = (("AccessKeyId", "aws_access_key_id"), ("SecretAccessKey", "aws_secret_access_key"))
_TOKEN = ("SessionToken", "Token", "aws_session_token")
_STS_FIELD = r"<{0}>\s*([^<]+?)\s*</{0}>"


def of_document(document: Mapping[str, Any]) -> AwsKeys | None:
    """The keys in a document as AWS prints it, or with the names of its credentials file; None where there are none."""
    access, secret = (_first(document, names) for names in _PAIR)
    return AwsKeys(access, secret, _first(document, _TOKEN) or None) if access and secret else None


def of_machine(environ: Mapping[str, str]) -> Mint:
    """The workload's own keys."""
    return lambda: _machine(environ)


def _machine(environ: Mapping[str, str]) -> Minted:
    access, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if access and secret:
        return Minted(AwsKeys(access, secret, environ.get("AWS_SESSION_TOKEN") or None), None)
    if environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") and environ.get("AWS_ROLE_ARN"):
        return _web_identity(environ)
    if environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") or environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        return _container(environ)
    kept = _shared_file(environ)
    if kept is not None:
        return Minted(kept, None)
    if environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        raise MintError("there are no keys in the environment, at a role, in a file, and the metadata is switched off")
    return _instance(environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", METADATA).rstrip("/"))


def _web_identity(environ: Mapping[str, str]) -> Minted:
    """STS takes the workload's token for keys of its role; this call is not signed."""
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    usual = f"https://sts.{region}.amazonaws.com" if region else "https://sts.amazonaws.com"
    base = environ.get("AWS_ENDPOINT_URL_STS", usual).rstrip("/")
    query = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": environ["AWS_ROLE_ARN"],
        "RoleSessionName": environ.get("AWS_ROLE_SESSION_NAME") or "pointsman",
        "WebIdentityToken": _file(environ["AWS_WEB_IDENTITY_TOKEN_FILE"]),
    }
    body = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items()).encode()
    answer = fetch(f"{base}/", "POST", {"content-type": "application/x-www-form-urlencoded"}, body)
    text = answer.body.decode("utf-8", "replace")
    if answer.status >= 300:
        raise MintError(f"STS answered {answer.status}: {_sts(text, 'Message')[:300] or 'no reason given'}")
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
    return _minted({name: _sts(text, name) for name in names}, "STS")


def _sts(text: str, field: str) -> str:
    """A field of STS's XML; its values are plain text."""
    found = re.search(_STS_FIELD.format(field), text)
    return found[1] if found else ""


def _container(environ: Mapping[str, str]) -> Minted:
    path = environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    url = f"{CONTAINER}{path}" if path else environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    file = environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    token = _file(file) if file else environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
    return _minted(fetch_json(url, {"authorization": token} if token else {}), "the container's agent")


def _shared_file(environ: Mapping[str, str]) -> AwsKeys | None:
    home = environ.get("HOME", "/")
    path = environ.get("AWS_SHARED_CREDENTIALS_FILE", f"{home}/.aws/credentials")
    profiles = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        profiles.read(path, "utf-8")
    except (configparser.Error, UnicodeDecodeError):
        raise MintError(f"{path} is no credentials file") from None
    profile = environ.get("AWS_PROFILE", "default")
    return of_document(profiles[profile]) if profile in profiles else None


def _instance(base: str) -> Minted:
    """Version 2 of the instance's metadata: a token first."""
    try:
        lent = fetch(f"{base}/latest/api/token", "PUT", {"x-aws-ec2-metadata-token-ttl-seconds": "300"}, b"", 2.0)
    except MintError:
        raise MintError("there are no keys in the environment, at a role, in a file or at the machine") from None
    header = {"x-aws-ec2-metadata-token": lent.body.decode("latin-1")}
    roles = f"{base}/latest/meta-data/iam/security-credentials/"
    role = fetch(roles, "GET", header)
    if lent.status >= 300 or role.status >= 300:
        raise MintError("the machine has no role")
    name = role.body.decode("latin-1").split("\n")[0].strip()
    return _minted(fetch_json(roles + quote(name), header), "the machine's metadata")


def _minted(told: Mapping[str, Any], whose: str) -> Minted:
    keys = of_document(told)
    if keys is None:
        raise MintError(f"{whose} answered without keys")
    try:
        ends = datetime.fromisoformat(str(told.get("Expiration")))
    except ValueError:
        raise MintError(f"{whose} does not say when its keys end") from None
    return Minted(keys, ends.replace(tzinfo=ends.tzinfo or UTC).timestamp() - time.time())


def _file(path: str) -> str:
    try:
        return Path(path).read_text("ascii").strip()
    except (OSError, ValueError):
        raise MintError(f"the token file {path} cannot be read") from None


def _first(document: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((value for name in names if isinstance(value := document.get(name), str) and value), "")
