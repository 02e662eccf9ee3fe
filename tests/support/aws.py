"""AWS's own signer: the C library `awscrt`, that AWS's tools sign with."""

from datetime import UTC, datetime
from io import BytesIO

from awscrt import auth, http

from gateway.core.credential import AwsKeys
from gateway.upstream.call import Call


def by_aws(call: Call, keys: AwsKeys, region: str, epoch_s: float) -> dict[str, str]:
    """The headers that AWS's signer makes of a call."""
    lent = auth.AwsCredentialsProvider.new_static(keys.access_key, keys.secret_key, keys.session_token)
    config = auth.AwsSigningConfig(
        algorithm=auth.AwsSigningAlgorithm.V4,
        signature_type=auth.AwsSignatureType.HTTP_REQUEST_HEADERS,
        credentials_provider=lent,
        region=region,
        service="bedrock",
        date=datetime.fromtimestamp(epoch_s, UTC),
    )
    headers = http.HttpHeaders([("host", call.origin.authority), *call.headers])
    request = http.HttpRequest(call.method, call.path, headers, BytesIO(call.body))
    made = auth.aws_sign_request(request, config).result(10)
    return {name.lower(): value for name, value in made.headers}
