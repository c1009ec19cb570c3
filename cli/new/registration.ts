/** The one checked list with lines for folders that are new, each where its name belongs. */
export function listed(serverless: string, { functions, playbooks }: { readonly functions: readonly string[]; readonly playbooks: readonly string[] }): string {
  const withFunctions = functions.reduce((text, name) => inserted(text, /^ {2}([a-z0-9-]+): \$\{file\(deploy\/stack\.cjs\):functions\.[a-z0-9-]+\}$/, name, `  ${name}: \${file(deploy/stack.cjs):functions.${name}}`), serverless);
  return playbooks.reduce((text, name) => inserted(text, /^ {2}- \$\{file\(deploy\/stack\.cjs\):playbooks\.([a-z0-9-]+)\}$/, name, `  - \${file(deploy/stack.cjs):playbooks.${name}}`), withFunctions);
}

/** Behind the last line of its kind that comes before it. */
function inserted(text: string, kind: RegExp, name: string, line: string): string {
  const lines = text.split('\n');
  const own = lines.flatMap((one, index) => {
    const [, other] = kind.exec(one) ?? [];
    return other === undefined ? [] : [{ index, other }];
  });
  const before = own.findLast(({ other }) => other < name);
  const at = before ? before.index + 1 : (own[0]?.index ?? lines.length);
  return [...lines.slice(0, at), line, ...lines.slice(at)].join('\n');
}
