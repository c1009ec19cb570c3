"""Calls every operation of the sandbox's S3 Control by boto3, and one by the AWS CLI; prints what came of it as JSON."""

import contextlib
import io
import json
import sys

import boto3
from botocore.exceptions import ClientError

BUCKET = sys.argv[1]
ACCOUNT = "111122223333"
CONTROL = boto3.client("s3control")
OUTCOMES = {}


def call(operation, **arguments):
    try:
        answer = getattr(CONTROL, operation)(AccountId=ACCOUNT, **arguments)
        OUTCOMES[operation] = "ok"
        return answer
    except ClientError as error:
        OUTCOMES[operation] = str(error)
        return {}


def expect(what, found, wanted):
    if found != wanted:
        OUTCOMES[what] = f"{found!r}, not {wanted!r}"


def operations():
    block = {"BlockPublicAcls": True, "IgnorePublicAcls": False, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}
    call("put_public_access_block", PublicAccessBlockConfiguration=block)
    expect("block", call("get_public_access_block")["PublicAccessBlockConfiguration"], block)
    call("delete_public_access_block")
    arn = call("create_access_point", Name="py-door", Bucket=BUCKET, PublicAccessBlockConfiguration=block)["AccessPointArn"]
    expect("made", call("get_access_point", Name="py-door")["PublicAccessBlockConfiguration"], block)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{arn}/object/*"}]})
    call("put_access_point_policy", Name="py-door", Policy=policy)
    expect("policy", call("get_access_point_policy", Name="py-door")["Policy"], policy)
    expect("listed", [point["Name"] for point in call("list_access_points", Bucket=BUCKET)["AccessPointList"]], ["py-door"])
    call("delete_access_point_policy", Name="py-door")
    call("delete_access_point", Name="py-door")


def command_line():
    from awscli.clidriver import create_clidriver

    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        create_clidriver().main(["s3control", "create-access-point", "--account-id", ACCOUNT, "--name", "cli-door", "--bucket", BUCKET, "--query", "None"])
        out.seek(0)
        out.truncate()
        code = create_clidriver().main(["s3control", "list-access-points", "--account-id", ACCOUNT, "--bucket", BUCKET, "--query", "AccessPointList[0].Name", "--output", "text"])
    return [code, out.buffer.getvalue().decode()]


def refusal():
    try:
        CONTROL.get_public_access_block(AccountId=ACCOUNT)
    except ClientError as error:
        return str(error)
    return "served"


if __name__ == "__main__":
    operations()
    sys.stdout.write(json.dumps({"boto3": OUTCOMES, "error": refusal(), "cli": command_line()}))
