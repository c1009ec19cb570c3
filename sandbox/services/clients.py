"""Call IAM, STS, DynamoDB and SSM of a sandbox by boto3 and the AWS CLI; what came of it as one JSON object."""

import contextlib
import io
import json

import boto3
from awscli.clidriver import create_clidriver
from botocore.exceptions import ClientError

TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}]})
POLICY = json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
ITEM = {"pk": {"S": "é"}, "n": {"N": "1.5"}, "b": {"B": b"\x00\xff"}, "l": {"L": [{"BOOL": True}]}}
boto = {}


def call(client, operation, **arguments):
    """Call an operation; its response, or the error's code, status and message."""
    name = f"{client.meta.service_model.signing_name}:{operation}"
    try:
        response = getattr(client, operation)(**arguments)
        boto.setdefault(name, "ok")
        return response
    except ClientError as error:
        boto[name] = [error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]]
        return error.response


iam, sts, db, ssm = (boto3.client(name) for name in ("iam", "sts", "dynamodb", "ssm"))

call(iam, "create_role", RoleName="boto", AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "a", "Value": "b"}])
call(iam, "update_assume_role_policy", RoleName="boto", PolicyDocument=TRUST)
call(iam, "put_role_policy", RoleName="boto", PolicyName="p", PolicyDocument=POLICY)
assert call(iam, "get_role_policy", RoleName="boto", PolicyName="p")["PolicyDocument"] == json.loads(POLICY)
assert call(iam, "get_role", RoleName="boto")["Role"]["AssumeRolePolicyDocument"] == json.loads(TRUST)
assert call(iam, "list_role_policies", RoleName="boto")["PolicyNames"] == ["p"]
assert "boto" in [role["RoleName"] for role in call(iam, "list_roles")["Roles"]]
call(iam, "create_user", UserName="rosa")
call(iam, "put_user_policy", UserName="rosa", PolicyName="p", PolicyDocument=POLICY)
key = call(iam, "create_access_key", UserName="rosa")["AccessKey"]["AccessKeyId"]
call(iam, "update_access_key", UserName="rosa", AccessKeyId=key, Status="Inactive")
assert [entry["Status"] for entry in call(iam, "list_access_keys", UserName="rosa")["AccessKeyMetadata"]] == ["Inactive"]
call(iam, "create_login_profile", UserName="rosa", Password="Correct-horse-1")
assert call(iam, "get_login_profile", UserName="rosa")["LoginProfile"]["UserName"] == "rosa"
assert call(iam, "list_user_policies", UserName="rosa")["PolicyNames"] == ["p"]
assert call(iam, "get_user_policy", UserName="rosa", PolicyName="p")["PolicyDocument"] == json.loads(POLICY)
decided = call(iam, "simulate_principal_policy", PolicySourceArn="arn:aws:iam::111122223333:user/rosa", ActionNames=["s3:GetObject"])["EvaluationResults"]
assert [entry["EvalDecision"] for entry in decided] == ["allowed"]
job = call(iam, "generate_service_last_accessed_details", Arn="arn:aws:iam::111122223333:user/rosa")["JobId"]
assert call(iam, "get_service_last_accessed_details", JobId=job)["JobStatus"] == "COMPLETED"
call(iam, "delete_user_policy", UserName="rosa", PolicyName="p")
assert call(iam, "list_instance_profiles_for_role", RoleName="boto")["InstanceProfiles"] == []
assert call(iam, "list_attached_role_policies", RoleName="boto")["AttachedPolicies"] == []
assert call(iam, "get_user", UserName="rosa")["User"]["Arn"] == "arn:aws:iam::111122223333:user/rosa"
assert len(call(iam, "list_users")["Users"]) == 2

session = call(sts, "assume_role", RoleArn="arn:aws:iam::111122223333:role/boto", RoleSessionName="me")["Credentials"]
role = boto3.client("sts", aws_access_key_id=session["AccessKeyId"], aws_secret_access_key=session["SecretAccessKey"], aws_session_token=session["SessionToken"])
assert call(role, "get_caller_identity")["Arn"] == "arn:aws:sts::111122223333:assumed-role/boto/me"
call(iam, "delete_role_policy", RoleName="boto", PolicyName="p")
call(iam, "delete_role", RoleName="boto")

call(
    db, "create_table", TableName="boto", BillingMode="PAY_PER_REQUEST",
    KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}], AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
)
db.get_waiter("table_exists").wait(TableName="boto", WaiterConfig={"MaxAttempts": 1})
call(db, "put_item", TableName="boto", Item=ITEM)
assert call(db, "get_item", TableName="boto", Key={"pk": {"S": "é"}})["Item"] == ITEM
call(db, "update_item", TableName="boto", Key={"pk": {"S": "é"}}, UpdateExpression="SET x = :x", ExpressionAttributeValues={":x": {"S": "y"}})
assert call(db, "query", TableName="boto", KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "é"}})["Count"] == 1
assert call(db, "scan", TableName="boto")["Count"] == 1
call(db, "batch_write_item", RequestItems={"boto": [{"PutRequest": {"Item": {"pk": {"S": "2"}}}}]})
assert len(call(db, "batch_get_item", RequestItems={"boto": {"Keys": [{"pk": {"S": "2"}}]}})["Responses"]["boto"]) == 1
call(db, "transact_write_items", TransactItems=[{"Put": {"TableName": "boto", "Item": {"pk": {"S": "3"}}, "ConditionExpression": "attribute_not_exists(pk)"}}])
call(db, "delete_item", TableName="boto", Key={"pk": {"S": "2"}})
call(db, "describe_table", TableName="boto")
call(db, "list_tables")
call(db, "update_continuous_backups", TableName="boto", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
assert call(db, "describe_continuous_backups", TableName="boto")["ContinuousBackupsDescription"]["ContinuousBackupsStatus"] == "ENABLED"
call(db, "update_table", TableName="boto", BillingMode="PROVISIONED", ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1})
call(db, "delete_table", TableName="boto")

item = call(ssm, "create_ops_item", Title="t", Description="d", Source="s", OperationalData={"k": {"Value": "v", "Type": "SearchableString"}})["OpsItemId"]
call(ssm, "update_ops_item", OpsItemId=item, Status="Resolved")
assert call(ssm, "get_ops_item", OpsItemId=item)["OpsItem"]["Status"] == "Resolved"
assert call(ssm, "describe_ops_items", OpsItemFilters=[{"Key": "Status", "Values": ["Resolved"], "Operator": "Equal"}])["OpsItemSummaries"][0]["OpsItemId"] == item
call(ssm, "put_parameter", Name="/boto/key", Value="secret", Type="SecureString")
assert call(ssm, "get_parameter", Name="/boto/key", WithDecryption=True)["Parameter"]["Value"] == "secret"
assert call(ssm, "get_parameter", Name="/boto/key")["Parameter"]["Value"] != "secret"
call(ssm, "delete_parameter", Name="/boto/key")

errors = {}
wrong = {"aws_secret_access_key": "wrong"}
unknown = {"aws_access_key_id": "AKIAUNKNOWN000000000", "aws_secret_access_key": "x"}
for name, operation, arguments in [
    ("iam", "get_role", {"RoleName": "absent"}),
    ("dynamodb", "describe_table", {"TableName": "absent"}),
    ("ssm", "get_ops_item", {"OpsItemId": "oi-ffffffffffff"}),
    ("ssm", "get_parameter", {"Name": "/boto/key"}),
    ("iam", "list_groups", {}),
]:
    try:
        getattr(boto3.client(name), operation)(**arguments)
    except ClientError as error:
        errors[f"{name}:{operation}"] = str(error)
for label, keys in (("wrong", wrong), ("unknown", unknown)):
    for name, operation in (("sts", "get_caller_identity"), ("dynamodb", "list_tables")):
        try:
            getattr(boto3.client(name, **({"aws_access_key_id": boto3.Session().get_credentials().access_key} | keys)), operation)()
        except ClientError as error:
            errors[f"{name} {label}"] = error.response["Error"]["Code"]


def cli(line):
    """Run a command of the AWS CLI in this process: starting one for each takes seconds."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = create_clidriver().main([*line.split(), "--output", "json"])
    return [code, (out.getvalue() or err.getvalue()).strip()]


lines = [
    "sts get-caller-identity",
    "iam list-roles",
    "dynamodb create-table --table-name cli --billing-mode PAY_PER_REQUEST --key-schema AttributeName=pk,KeyType=HASH --attribute-definitions AttributeName=pk,AttributeType=S",
    "dynamodb put-item --table-name cli --item {\"pk\":{\"S\":\"a\"}}",
    "dynamodb scan --table-name cli",
    "ssm create-ops-item --title t --description d --source s",
    "ssm describe-ops-items --ops-item-filters Key=Status,Values=Open,Operator=Equal",
    "ssm put-parameter --name cli --value 1 --type String",
    "ssm get-parameter --name cli",
    "iam get-role --role-name absent",
]
print(json.dumps({"boto3": boto, "errors": errors, "cli": {line: cli(line) for line in lines}}))
