// Executions finish on the version that they started with: a running execution keeps its definition, and the definition names versions of
// functions, which stay (osls retains them). What osls calls a version is known only when it has packaged the code, so this comes last.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-version.html
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html

/** In every state machine a function's version stands for the function; its role may invoke any version, since older executions still run. */
function pinVersions({ Resources }) {
  const versions = new Map(Object.entries(Resources).flatMap(([id, { Type, Properties }]) => (Type === 'AWS::Lambda::Version' ? [[Properties.FunctionName.Ref, id]] : [])));
  const functionOf = (value) => (Array.isArray(value?.['Fn::GetAtt']) && value['Fn::GetAtt'][1] === 'Arn' && versions.has(value['Fn::GetAtt'][0]) ? value['Fn::GetAtt'][0] : undefined);
  for (const { Type, Properties, DependsOn } of Object.values(Resources)) {
    if (Type === 'AWS::StepFunctions::StateMachine') {
      for (const [name, value] of Object.entries(Properties.DefinitionSubstitutions ?? {})) {
        const found = functionOf(value);
        if (found) Properties.DefinitionSubstitutions[name] = { Ref: versions.get(found) };
      }
    }
    if (Type === 'AWS::IAM::Role' && JSON.stringify(Properties.AssumeRolePolicyDocument).includes('states.amazonaws.com')) {
      for (const { PolicyDocument } of Properties.Policies) {
        for (const statement of PolicyDocument.Statement) {
          const found = functionOf(statement.Resource);
          if (found) statement.Resource = { 'Fn::Sub': `\${${found}.Arn}:*` };
        }
      }
    }
    // osls says what GetAtt says already.
    if (Type === 'AWS::Lambda::Function' && Array.isArray(DependsOn)) DependsOn.splice(0, DependsOn.length, ...DependsOn.filter((id) => Resources[id]?.Type !== 'AWS::IAM::Role'));
  }
}

module.exports = class Versions {
  constructor(serverless) {
    this.hooks = { 'after:aws:package:finalize:mergeCustomProviderResources': () => pinVersions(serverless.service.provider.compiledCloudFormationTemplate) };
  }
};
