"""Calls every operation of the sandbox's CloudFront by boto3 and by the AWS CLI; prints outcomes as JSON."""
import contextlib
import io
import json
import sys

import boto3
from awscli.clidriver import create_clidriver
from botocore.exceptions import ClientError

DISTRIBUTION = sys.argv[1]
boto, errors = {}, {}
cdn = boto3.client("cloudfront")


def call(operation, **arguments):
    response = getattr(cdn, operation)(**arguments)
    boto[operation] = "ok"
    return response


def batch(reference, *items):
    return {"CallerReference": reference, "Paths": {"Quantity": len(items), "Items": list(items)}}


assert [one["Id"] for one in call("list_distributions")["DistributionList"]["Items"]] == [DISTRIBUTION]
described = call("get_distribution", Id=DISTRIBUTION)
assert described["Distribution"]["ARN"] == f"arn:aws:cloudfront::111122223333:distribution/{DISTRIBUTION}"
assert described["Distribution"]["DistributionConfig"]["DefaultCacheBehavior"]["DefaultTTL"] == 86400
made = call("create_invalidation", DistributionId=DISTRIBUTION, InvalidationBatch=batch("a", "/albums/one/*", "/e"))["Invalidation"]
assert made["Status"] == "InProgress", made
assert call("get_invalidation", DistributionId=DISTRIBUTION, Id=made["Id"])["Invalidation"]["InvalidationBatch"]["Paths"]["Items"] == ["/albums/one/*", "/e"]

for label, operation, arguments in [
    ("unknown", "get_distribution", {"Id": "ENONE"}),
    ("invalidation", "get_invalidation", {"DistributionId": DISTRIBUTION, "Id": "INONE"}),
    ("too many", "create_invalidation", {"DistributionId": DISTRIBUTION, "InvalidationBatch": batch("b", *[f"/{n}*" for n in range(16)])}),
    ("not served", "list_public_keys", {}),
]:
    try:
        getattr(cdn, operation)(**arguments)
    except ClientError as error:
        errors[label] = str(error)
for label, keys in [("wrong", {"aws_access_key_id": boto3.Session().get_credentials().access_key, "aws_secret_access_key": "wrong"}), ("stranger", {"aws_access_key_id": "AKIAUNKNOWN000000000", "aws_secret_access_key": "x"})]:
    try:
        boto3.client("cloudfront", **keys).list_distributions()
    except ClientError as error:
        errors[label] = error.response["Error"]["Code"]


def cli(line):
    """Run a command of the AWS CLI in this process: starting one for each takes seconds."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = create_clidriver().main([*line.split(), "--output", "json"])
    return [code, (out.getvalue() or err.getvalue()).strip()]


lines = [
    "cloudfront list-distributions",
    f"cloudfront get-distribution --id {DISTRIBUTION}",
    f"cloudfront create-invalidation --distribution-id {DISTRIBUTION} --paths /index.html #album:one",
    f"cloudfront get-invalidation --distribution-id {DISTRIBUTION} --id {made['Id']}",
]
print(json.dumps({"boto3": boto, "errors": errors, "cli": [[line, *cli(line)] for line in lines]}))
