"""Signs requests with botocore: reads a JSON array of requests, prints a signature a line."""

import datetime
import json
import sys
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

for wanted in json.load(sys.stdin):
    moment = datetime.datetime.strptime(wanted["moment"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    signer = botocore.auth.S3SigV4Auth(Credentials("AKIDEXAMPLE", "secret/key+1"), "s3", "eu-central-1")
    request = AWSRequest(
        method=wanted["method"],
        url="http://store.example:9000" + wanted["target"],
        headers=wanted["headers"],
        data=wanted["body"].encode(),
    )
    with mock.patch("botocore.auth.get_current_datetime", lambda *_, **__: moment):
        signer.add_auth(request)
    print(request.headers["Authorization"].rpartition("Signature=")[2])
