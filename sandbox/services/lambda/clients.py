"""Calls every operation of the sandbox's Lambda and EventBridge with boto3, and a few with the AWS CLI; prints what came of it."""
import json
import subprocess
import sys

import boto3

awslambda, events = boto3.client('lambda'), boto3.client('events')
FUNCTION = 'echo'
ARN = f'arn:aws:lambda:us-east-1:111122223333:function:{FUNCTION}'
outcome = {}


def call(client, operation, expect=None, **arguments):
    try:
        answer = getattr(client, operation)(**arguments)
        answer = {key: value.read().decode() if hasattr(value, 'read') else value for key, value in answer.items() if key != 'ResponseMetadata'}
        outcome[operation] = answer if expect is None else f'no error, {expect} expected'
    except client.exceptions.ClientError as error:
        code = error.response['Error']['Code']
        outcome[operation if expect is None else f'{operation} {expect}'] = 'ok' if code == expect else str(error)


def aws(*arguments):
    done = subprocess.run([sys.executable, '-m', 'awscli', *arguments], capture_output=True, text=True)
    return [done.returncode, done.stdout.strip(), done.stderr.strip()]


call(awslambda, 'invoke', FunctionName=FUNCTION, Payload=b'{"a": 1}')
call(awslambda, 'invoke', FunctionName='nobody', expect='ResourceNotFoundException')
call(awslambda, 'get_function', FunctionName=FUNCTION)
call(awslambda, 'get_function_configuration', FunctionName=FUNCTION)
call(awslambda, 'list_functions')
call(awslambda, 'put_function_event_invoke_config', FunctionName=FUNCTION, MaximumRetryAttempts=1)
call(awslambda, 'get_function_event_invoke_config', FunctionName=FUNCTION)
call(awslambda, 'update_function_configuration', FunctionName=FUNCTION, Environment={'Variables': {'A': 'b'}})
call(awslambda, 'create_function_url_config', FunctionName=FUNCTION, AuthType='AWS_IAM')
call(awslambda, 'get_function_url_config', FunctionName=FUNCTION)
call(awslambda, 'add_permission', FunctionName=FUNCTION, StatementId='s', Action='lambda:InvokeFunction', Principal='events.amazonaws.com')
call(awslambda, 'get_policy', FunctionName=FUNCTION)
call(awslambda, 'remove_permission', FunctionName=FUNCTION, StatementId='s')
call(awslambda, 'get_policy', FunctionName=FUNCTION, expect='ResourceNotFoundException')
call(events, 'put_rule', Name='r', EventPattern='{"source": ["a"]}')
call(events, 'put_rule', Name='s', EventPattern='{"source": []}', expect='InvalidEventPatternException')
call(events, 'put_targets', Rule='r', Targets=[{'Id': 't', 'Arn': ARN}])
call(events, 'create_event_bus', Name='b')
call(events, 'put_permission', EventBusName='b', Policy='{"Version": "2012-10-17", "Statement": []}')
BUS = 'arn:aws:events:us-east-1:111122223333:event-bus/b'
call(events, 'create_archive', ArchiveName='a', EventSourceArn=BUS)
call(events, 'start_replay', ReplayName='p', EventSourceArn='arn:aws:events:us-east-1:111122223333:archive/a', EventStartTime=0, EventEndTime=1, Destination={'Arn': BUS})
call(events, 'list_rules')
call(events, 'describe_rule', Name='r')
call(events, 'list_targets_by_rule', Rule='r')
call(events, 'disable_rule', Name='r')
call(events, 'enable_rule', Name='r')
call(events, 'put_events', Entries=[{'Source': 'aws.s3', 'DetailType': 'd', 'Detail': '{}'}])
event = {'id': '1', 'account': '1', 'source': 'a', 'time': '2026-01-01T00:00:00Z', 'region': 'r', 'resources': [], 'detail-type': 'x'}
call(events, 'test_event_pattern', EventPattern='{"source": ["a"]}', Event=json.dumps(event))
call(events, 'delete_rule', Name='r', expect='ValidationException')
call(events, 'remove_targets', Rule='r', Ids=['t'])
call(events, 'delete_rule', Name='r')
cli = {
    'url': aws('lambda', 'get-function-url-config', '--function-name', FUNCTION, '--query', 'AuthType', '--output', 'text'),
    'invoke': aws('lambda', 'invoke', '--function-name', FUNCTION, '/dev/null', '--query', 'StatusCode'),
    'rules': aws('events', 'list-rules', '--query', 'Rules'),
    'missing': aws('events', 'describe-rule', '--name', 'nobody'),
}
json.dump({'boto3': outcome, 'cli': cli}, sys.stdout, default=str)
