"""How each cloud is asked for credentials, played by a server on loopback."""

import base64
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from gateway.core.credential import AwsKeys, Bearer
from gateway.edge.credentials import aws, entra, google
from gateway.edge.credentials.fetch import fetch, fetch_json
from gateway.edge.credentials.minted import Mint, MintError
from tests.support.token_server import token_server

TOKEN = json.dumps({"access_token": "lent", "expires_in": 3599, "token_type": "Bearer"})
ENDS = datetime.fromtimestamp(time.time() + 3_600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
AGENT = json.dumps({"AccessKeyId": "ASIA", "SecretAccessKey": "s", "Token": "t", "Expiration": ENDS})


def refused(mint: Mint) -> str:
    with pytest.raises(MintError) as caught:
        mint()
    return str(caught.value)


# -- Google -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def service_account(key: rsa.RSAPrivateKey, url: str) -> dict[str, str]:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return {
        "type": "service_account", "client_email": "gateway@project.iam.gserviceaccount.com",
        "token_uri": f"{url}/token", "private_key": pem, "private_key_id": "1", "project_id": "project",
    }  # fmt: skip


def unpacked(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_a_service_account_signs_for_its_token(private_key: rsa.RSAPrivateKey) -> None:
    with token_server(token=(200, TOKEN)) as server:
        minted = google.of_document(service_account(private_key, server.url))()
    assert minted.credential == Bearer("lent")
    assert minted.life_s is not None
    assert 3_500 < minted.life_s < 3_700
    (asked,) = server.asked
    head, claims, signature = asked.form["assertion"].split(".")
    private_key.public_key().verify(
        unpacked(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    said = json.loads(unpacked(claims))
    assert (said["iss"], said["scope"]) == ("gateway@project.iam.gserviceaccount.com", google.SCOPES[0])


def test_a_refusal_of_googles_is_told_and_can_be_tried_again(private_key: rsa.RSAPrivateKey) -> None:
    words = json.dumps({"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
    with token_server(token=(400, words)) as server:
        mint = google.of_document(service_account(private_key, server.url))
        assert "Invalid JWT Signature" in refused(mint)
        server.answers["/token"] = (200, TOKEN)
        assert mint().credential == Bearer("lent")


def test_a_federated_workload_changes_its_token(tmp_path: Path) -> None:
    subject = tmp_path / "token"
    subject.write_text("kubernetes-token")
    with token_server(sts=(200, json.dumps({**json.loads(TOKEN), "issued_token_type": "x"}))) as server:
        document = {
            "type": "external_account", "audience": "//iam.googleapis.com/x", "token_url": f"{server.url}/sts",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "credential_source": {"file": str(subject)},
        }  # fmt: skip
        assert google.of_document(document)().credential == Bearer("lent")
    assert server.asked[0].form["subject_token"] == "kubernetes-token"


def test_the_machines_own_is_what_googles_tools_would_take(
    private_key: rsa.RSAPrivateKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with token_server(token=(200, TOKEN)) as server:
        path = tmp_path / "adc.json"
        path.write_text(json.dumps(service_account(private_key, server.url)))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        assert google.of_machine()().credential == Bearer("lent")


@pytest.mark.parametrize("document", [{"type": "service_account"}, {"type": "external_account"}])
def test_half_a_key_file_is_refused(document: Mapping[str, str]) -> None:
    assert refused(google.of_document(document))


def test_an_unreachable_token_server_is_named(private_key: rsa.RSAPrivateKey) -> None:
    with token_server() as server:
        url = server.url
    assert "127.0.0.1" in refused(google.of_document(service_account(private_key, url)))


# -- Entra ID ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        {"tenant_id": "t", "client_id": "c", "client_secret": "s"},
        {"tenantId": "t", "clientId": "c", "clientSecret": "s"},
        {"tenant": "t", "appId": "c", "password": "s"},
    ],
)
def test_an_application_asks_with_its_secret(document: dict[str, str]) -> None:
    assert entra.is_document(document)
    with token_server(t__oauth2__v2_0__token=(200, TOKEN)) as server:
        server.answers["/t/oauth2/v2.0/token"] = (200, TOKEN)
        minted = entra.of_document(document, {"AZURE_AUTHORITY_HOST": server.url + "/"})()
    assert (minted.credential, minted.life_s) == (Bearer("lent"), 3599.0)
    assert server.asked[0].form == {
        "grant_type": "client_credentials", "scope": "https://cognitiveservices.azure.com/.default",
        "client_id": "c", "client_secret": "s",
    }  # fmt: skip


def test_a_workload_asks_with_its_federated_token(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("kubernetes-token\n")
    environ = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_FEDERATED_TOKEN_FILE": str(file)}
    with token_server() as server:
        server.answers["/t/oauth2/v2.0/token"] = (200, TOKEN)
        mint = entra.of_machine({**environ, "AZURE_AUTHORITY_HOST": server.url})
        assert mint().credential == Bearer("lent")
        file.write_text("rotated")
        mint()
    assert [asked.form["client_assertion"] for asked in server.asked] == ["kubernetes-token", "rotated"]
    file.unlink()
    assert str(file) in refused(mint)


def test_variables_of_an_application_are_taken() -> None:
    with token_server() as server:
        server.answers["/t/oauth2/v2.0/token"] = (200, TOKEN)
        environ = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"}
        assert entra.of_machine({**environ, "AZURE_AUTHORITY_HOST": server.url})().credential == Bearer("lent")


@pytest.mark.parametrize("client", ["", "c"])
def test_a_managed_identity_is_asked_of_the_machine(client: str) -> None:
    told = json.dumps({"access_token": "lent", "expires_in": "86399"})
    with token_server(metadata__identity__oauth2__token=(200, told)) as server:
        environ = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": server.url, "AZURE_CLIENT_ID": client}
        assert entra.of_machine(environ)().life_s == 86_399.0
    (asked,) = server.asked
    assert asked.headers["metadata"] == "true"
    assert ("client_id=c" in asked.path) == bool(client)


def test_a_refusal_of_entras_is_told() -> None:
    words = json.dumps({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid secret.\r\nTrace"})
    document = {"tenant_id": "t", "client_id": "c", "client_secret": "hidden"}
    with token_server() as server:
        server.answers["/t/oauth2/v2.0/token"] = (401, words)
        said = refused(entra.of_document(document, {"AZURE_AUTHORITY_HOST": server.url}))
    assert said.endswith("answered 401: AADSTS7000215: Invalid secret.")


@pytest.mark.parametrize(
    "told", ['{"access_token": "x"}', '{"expires_in": 9}', '{"access_token": "x", "expires_in": []}']
)
def test_half_an_answer_of_entras_is_none(told: str) -> None:
    with token_server() as server:
        server.answers["/metadata/identity/oauth2/token"] = (200, told)
        assert "without a token" in refused(entra.of_machine({"AZURE_POD_IDENTITY_AUTHORITY_HOST": server.url}))


# -- AWS --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "keys"),
    [
        ({"AccessKeyId": "A", "SecretAccessKey": "s"}, AwsKeys("A", "s")),
        ({"AccessKeyId": "A", "SecretAccessKey": "s", "SessionToken": "t"}, AwsKeys("A", "s", "t")),
        ({"aws_access_key_id": "A", "aws_secret_access_key": "s", "aws_session_token": "t"}, AwsKeys("A", "s", "t")),
        ({"AccessKeyId": "A"}, None),
        ({"AccessKeyId": 1, "SecretAccessKey": "s"}, None),
    ],
)
def test_keys_stand_in_a_document(document: Mapping[str, str], keys: AwsKeys | None) -> None:
    assert aws.of_document(document) == keys


def test_keys_of_the_environment_come_first() -> None:
    environ = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "AWS_WEB_IDENTITY_TOKEN_FILE": "/x"}
    minted = aws.of_machine({**environ, "AWS_ROLE_ARN": "r"})()
    assert (minted.credential, minted.life_s) == (AwsKeys("A", "s"), None)


STS = f"""<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult><Credentials><SessionToken>tok==</SessionToken>
  <SecretAccessKey>se/cret</SecretAccessKey><Expiration>{ENDS}</Expiration><AccessKeyId>ASIA</AccessKeyId></Credentials>
  </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


def test_a_workloads_token_is_changed_for_the_keys_of_its_role(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("kubernetes-token")
    environ = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(file), "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"}
    with token_server() as server:
        server.answers["/"] = (200, STS)
        mint = aws.of_machine({**environ, "AWS_ENDPOINT_URL_STS": server.url})
        minted = mint()
        assert minted.credential == AwsKeys("ASIA", "se/cret", "tok==")
        assert minted.life_s is not None
        assert 0 < minted.life_s <= 3_600  # counted down since this module was read
        form = server.asked[0].form
        assert (form["Action"], form["RoleArn"], form["WebIdentityToken"]) == (
            "AssumeRoleWithWebIdentity", "arn:aws:iam::1:role/r", "kubernetes-token",
        )  # fmt: skip
        server.answers["/"] = (403, "<Error><Code>AccessDenied</Code><Message>Not authorized</Message></Error>")
        assert refused(mint) == "STS answered 403: Not authorized"
        server.answers["/"] = (200, "<html>")
        assert refused(mint) == "STS answered without keys"
        server.answers["/"] = (200, STS.replace("Expiration", "Ends"))
        assert refused(mint) == "STS does not say when its keys end"
    file.unlink()
    assert str(file) in refused(mint)


def test_a_containers_agent_has_keys(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("pod-token")
    with token_server(v1__credentials=(200, AGENT)) as server:
        environ = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{server.url}/v1/credentials"}
        for more, sent in (
            ({"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(file)}, "pod-token"),
            ({"AWS_CONTAINER_AUTHORIZATION_TOKEN": "plain"}, "plain"),
            ({}, None),
        ):
            assert aws.of_machine({**environ, **more})().credential == AwsKeys("ASIA", "s", "t")
            assert server.asked[-1].headers.get("authorization") == sent


def test_the_shared_file_has_keys_by_profile(tmp_path: Path) -> None:
    folder = tmp_path / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text(
        "[default]\naws_access_key_id = A\naws_secret_access_key = s%1\n"
        "[two]\naws_access_key_id=B\naws_secret_access_key=t\n"
    )
    home = {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    assert aws.of_machine(home)().credential == AwsKeys("A", "s%1")
    assert aws.of_machine({**home, "AWS_PROFILE": "two"})().credential == AwsKeys("B", "t")
    assert "switched off" in refused(aws.of_machine({**home, "AWS_PROFILE": "three"}))
    (folder / "credentials").write_text("no file of this kind")
    assert refused(aws.of_machine(home)).endswith("is no credentials file")


def test_the_machine_has_keys_for_who_asks_twice(tmp_path: Path) -> None:
    roles = "/latest/meta-data/iam/security-credentials/"
    with token_server(latest__api__token=(200, "imds")) as server:
        environ = {"HOME": str(tmp_path), "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url}
        assert refused(aws.of_machine(environ)) == "the machine has no role"
        server.answers |= {roles: (200, "node-role\n"), roles + "node-role": (200, AGENT)}
        assert aws.of_machine(environ)().credential == AwsKeys("ASIA", "s", "t")
        assert [asked.method for asked in server.asked[-3:]] == ["PUT", "GET", "GET"]
        assert server.asked[-1].headers["x-aws-ec2-metadata-token"] == "imds"
    assert "there are no keys" in refused(aws.of_machine(environ))


# -- the exchange itself ----------------------------------------------------------------------------------------------


def test_follows_no_redirect_and_speaks_http_alone() -> None:
    with token_server(token=(302, "{}"), broken=(200, "<html>"), listed=(200, "[]"), wrong=(500, "oops")) as server:
        assert fetch(f"{server.url}/token").status == 302
        assert len(server.asked) == 1
        for path in ("broken", "listed", "wrong"):
            with pytest.raises(MintError, match="answered"):
                fetch_json(f"{server.url}/{path}", {})
        with pytest.raises(MintError, match="answered 404"):
            fetch_json(f"{server.url}/nowhere", {})
    with pytest.raises(MintError, match="neither"):
        fetch("file:///etc/passwd")
