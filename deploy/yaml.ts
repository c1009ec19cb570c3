import { isScalar, parse, type ScalarTag, type CollectionTag } from 'yaml';

/** YAML with CloudFormation's short forms: `!Ref Table`, `!GetAtt Table.Arn`, `!Sub '…'`. */
export function parseYaml(text: string): unknown {
  return parse(text, { customTags: [...SHORT.map(scalarTag), ...SHORT.map(listTag)], intAsBigInt: false });
}

const SHORT = ['Ref', 'GetAtt', 'Sub', 'Join', 'Equals', 'Not', 'And', 'If', 'Condition'] as const;

function scalarTag(name: (typeof SHORT)[number]): ScalarTag {
  const key = name === 'Ref' ? 'Ref' : `Fn::${name}`;
  return { tag: `!${name}`, resolve: (value) => ({ [key]: name === 'GetAtt' ? value.split(/\.(.*)/s).slice(0, 2) : value }) };
}

function listTag(name: (typeof SHORT)[number]): CollectionTag {
  return {
    tag: `!${name}`,
    collection: 'seq',
    resolve: (value) => ({ [`Fn::${name}`]: value.items.map((item) => (isScalar(item) ? item.value : item)) }),
  };
}
