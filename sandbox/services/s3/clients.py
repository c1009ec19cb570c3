"""Calls every operation of the sandbox's S3 as boto3 does, then the everyday ones as the AWS CLI does.

Prints one JSON object: {"boto3": {operation: outcome}, "cli": {command: [exit code, output]}}.
Reads AWS_ENDPOINT_URL, credentials and region from the environment, as any client would.
"""

import contextlib
import io
import json
import os
import sys
import tempfile
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

S3 = boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}))
B = "clients-bucket"
KEY = "albums/ä b/1.jpg"
OUTCOMES = {}


def call(operation, /, **arguments):
    try:
        answer = getattr(S3, operation)(**arguments)
        OUTCOMES.setdefault(operation, "ok")
        return answer
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        OUTCOMES[operation] = f"{status} {error.response['Error']['Code']}: {error.response['Error']['Message']}"
        return {}


def expect(name, found, wanted):
    OUTCOMES[name] = "ok" if found == wanted else f"{found!r} is not {wanted!r}"


def settings():
    call("create_bucket", Bucket=B, ObjectOwnership="ObjectWriter")
    call("head_bucket", Bucket=B)
    expect("list_buckets: names", [b["Name"] for b in call("list_buckets")["Buckets"]], [B])
    expect("get_bucket_location: region", call("get_bucket_location", Bucket=B).get("LocationConstraint"), None)
    block = dict(BlockPublicAcls=False, IgnorePublicAcls=True, BlockPublicPolicy=False, RestrictPublicBuckets=False)
    call("put_public_access_block", Bucket=B, PublicAccessBlockConfiguration=block)
    expect("get_public_access_block: flags", call("get_public_access_block", Bucket=B)["PublicAccessBlockConfiguration"], block)
    call("delete_public_access_block", Bucket=B)
    statement = dict(Effect="Allow", Principal="*", Action="s3:GetObject", Resource=f"arn:aws:s3:::{B}/public/*")
    policy = json.dumps(dict(Version="2012-10-17", Statement=[statement]), indent=1)
    call("put_bucket_policy", Bucket=B, Policy=policy)
    expect("get_bucket_policy: text", json.loads(call("get_bucket_policy", Bucket=B)["Policy"]), json.loads(policy))
    expect("get_bucket_policy_status: public", call("get_bucket_policy_status", Bucket=B)["PolicyStatus"], {"IsPublic": True})
    call("delete_bucket_policy", Bucket=B)
    call("put_bucket_acl", Bucket=B, ACL="public-read")
    expect("get_bucket_acl: grants", [g["Permission"] for g in call("get_bucket_acl", Bucket=B)["Grants"]], ["FULL_CONTROL", "READ"])
    call("put_bucket_versioning", Bucket=B, VersioningConfiguration={"Status": "Enabled"})
    expect("get_bucket_versioning: status", call("get_bucket_versioning", Bucket=B).get("Status"), "Enabled")
    ownership = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    call("put_bucket_ownership_controls", Bucket=B, OwnershipControls=ownership)
    expect("get_bucket_ownership_controls: rules", call("get_bucket_ownership_controls", Bucket=B)["OwnershipControls"], ownership)
    rules = [{"ID": "bin", "Status": "Enabled", "Filter": {"And": {"Prefix": "bin/", "Tags": [{"Key": "a", "Value": "1"}]}}, "Expiration": {"Days": 3}}]
    call("put_bucket_lifecycle_configuration", Bucket=B, LifecycleConfiguration={"Rules": rules})
    expect("get_bucket_lifecycle_configuration: rules", call("get_bucket_lifecycle_configuration", Bucket=B)["Rules"], rules)
    call("delete_bucket_lifecycle", Bucket=B)
    website = {"IndexDocument": {"Suffix": "index.html"}}
    call("put_bucket_website", Bucket=B, WebsiteConfiguration=website)
    expect("get_bucket_website: index", call("get_bucket_website", Bucket=B)["IndexDocument"], website["IndexDocument"])
    call("delete_bucket_website", Bucket=B)
    cors = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]
    call("put_bucket_cors", Bucket=B, CORSConfiguration={"CORSRules": cors})
    expect("get_bucket_cors: rules", call("get_bucket_cors", Bucket=B)["CORSRules"], cors)
    call("delete_bucket_cors", Bucket=B)
    tags = [{"Key": "service", "Value": "photos"}]
    call("put_bucket_tagging", Bucket=B, Tagging={"TagSet": tags})
    expect("get_bucket_tagging: tags", call("get_bucket_tagging", Bucket=B)["TagSet"], tags)
    call("delete_bucket_tagging", Bucket=B)
    replication = {
        "Role": "arn:aws:iam::111122223333:role/copy",
        "Rules": [{"ID": "all", "Priority": 1, "Status": "Enabled", "Filter": {"Prefix": ""}, "DeleteMarkerReplication": {"Status": "Disabled"}, "Destination": {"Bucket": "arn:aws:s3:::copies"}}],
    }
    call("put_bucket_replication", Bucket=B, ReplicationConfiguration=replication)
    expect("get_bucket_replication: rules", call("get_bucket_replication", Bucket=B)["ReplicationConfiguration"], replication)
    call("delete_bucket_replication", Bucket=B)
    call("put_bucket_notification_configuration", Bucket=B, NotificationConfiguration={"EventBridgeConfiguration": {}})
    expect("get_bucket_notification_configuration: events", "EventBridgeConfiguration" in call("get_bucket_notification_configuration", Bucket=B), True)


def objects():
    call("put_object", Bucket=B, Key=KEY, Body=b"picture " * 10_000, ContentType="image/jpeg", Tagging="a=1")
    expect("get_object: body", call("get_object", Bucket=B, Key=KEY)["Body"].read(), b"picture " * 10_000)
    expect("get_object: range", call("get_object", Bucket=B, Key=KEY, Range="bytes=0-6")["Body"].read(), b"picture")
    expect("head_object: type", call("head_object", Bucket=B, Key=KEY)["ContentType"], "image/jpeg")
    call("copy_object", Bucket=B, Key="copy & more", CopySource={"Bucket": B, "Key": KEY})
    listed = call("list_objects_v2", Bucket=B, Prefix="albums/")
    expect("list_objects_v2: keys", [entry["Key"] for entry in listed["Contents"]], [KEY])
    expect("list_objects: keys", [entry["Key"] for entry in call("list_objects", Bucket=B)["Contents"]], [KEY, "copy & more"])
    expect("list_object_versions: count", len(call("list_object_versions", Bucket=B)["Versions"]), 2)
    call("put_object_acl", Bucket=B, Key=KEY, ACL="private")
    expect("get_object_acl: grants", len(call("get_object_acl", Bucket=B, Key=KEY)["Grants"]), 1)
    call("put_object_tagging", Bucket=B, Key=KEY, Tagging={"TagSet": [{"Key": "b", "Value": "2"}]})
    expect("get_object_tagging: tags", call("get_object_tagging", Bucket=B, Key=KEY)["TagSet"], [{"Key": "b", "Value": "2"}])
    url = S3.generate_presigned_url("get_object", Params={"Bucket": B, "Key": KEY}, ExpiresIn=60)
    expect("presigned: status", urllib.request.urlopen(url).status, 200)
    call("delete_object", Bucket=B, Key=KEY)
    call("delete_objects", Bucket=B, Delete={"Objects": [{"Key": "copy & more"}]})
    call("delete_bucket_ownership_controls", Bucket=B)

    locked = "clients-locked"
    call("create_bucket", Bucket=locked, ObjectLockEnabledForBucket=True)
    call("put_object_lock_configuration", Bucket=locked, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}})
    expect("get_object_lock_configuration: mode", call("get_object_lock_configuration", Bucket=locked)["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Mode"], "GOVERNANCE")
    version = call("put_object", Bucket=locked, Key="a", Body=b"a")["VersionId"]
    retention = call("get_object_retention", Bucket=locked, Key="a")["Retention"]
    expect("get_object_retention: mode", retention["Mode"], "GOVERNANCE")
    call("put_object_retention", Bucket=locked, Key="a", Retention=retention)
    call("delete_object", Bucket=locked, Key="a", VersionId=version, BypassGovernanceRetention=True)
    call("delete_bucket", Bucket=locked)


def command_line():
    from awscli.clidriver import create_clidriver

    results = {}
    with tempfile.TemporaryDirectory() as folder:
        picture = os.path.join(folder, "picture.jpg")
        with open(picture, "wb") as file:
            file.write(b"jpeg" * 1000)
        for line in [
            "s3 mb s3://cli-bucket",
            f"s3 cp {picture} s3://cli-bucket/album/picture.jpg",
            "s3 ls s3://cli-bucket/album/",
            f"s3 cp s3://cli-bucket/album/picture.jpg {picture}.back",
            "s3api get-public-access-block --bucket cli-bucket",
            "s3api get-bucket-policy --bucket cli-bucket",
            "s3api put-bucket-tagging --bucket cli-bucket --tagging TagSet=[{Key=a,Value=1}]",
            "s3api get-bucket-tagging --bucket cli-bucket --query TagSet[0].Value --output text",
            "s3api get-object-acl --bucket cli-bucket --key album/picture.jpg --query Grants[0].Permission --output text",
            "s3api list-buckets --query length(Buckets[?Name==`cli-bucket`]) --output text",
            "s3 rm s3://cli-bucket --recursive",
            "s3 rb s3://cli-bucket",
        ]:
            out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                code = create_clidriver().main(line.split(" "))
            results[line.replace(folder, "")] = [code, out.buffer.getvalue().decode()]
        with open(f"{picture}.back", "rb") as file:
            results["bytes"] = [0, str(len(file.read()))]
    return results


if __name__ == "__main__":
    settings()
    objects()
    sys.stdout.write(json.dumps({"boto3": OUTCOMES, "cli": command_line()}))
