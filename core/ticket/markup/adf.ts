import type { Block, TicketDocument } from '../document.ts';
import type { Json } from '../../bucket.ts';

/**
 * Atlassian Document Format: a tree, so that text is text whatever is in it. No mention, emoji or smart-link node is ever made.
 *
 * @see https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
 */
export function atlassianDocument(document: TicketDocument): Json {
  const content = document.sections.flatMap(({ heading, blocks }) => [node('heading', words(heading), { level: 3 }), ...blocks.map(blockNode)]);
  return { version: 1, type: 'doc', content };
}

function blockNode(block: Block): Json {
  switch (block.kind) {
    case 'text':
      return paragraph(block.text);
    case 'list':
      return node('bulletList', block.items.map((item) => node('listItem', [paragraph(item)])));
    case 'table':
      return node('table', [
        node('tableRow', block.head.map((cell) => node('tableHeader', [paragraph(cell)]))),
        ...block.rows.map((row) => node('tableRow', row.map((cell) => node('tableCell', [paragraph(cell)])))),
      ]);
    case 'code':
      return node('codeBlock', words(block.text), { language: 'text' });
    case 'link':
      return node('paragraph', [{ type: 'text', text: block.text, marks: [{ type: 'link', attrs: { href: block.url } }] }]);
  }
}

function node(type: string, content: readonly Json[], attrs?: { readonly [key: string]: Json }): Json {
  return { type, ...(attrs ? { attrs } : {}), content: [...content] };
}

function paragraph(text: string): Json {
  return node('paragraph', words(text));
}

/** A text node may not be empty. */
function words(text: string): readonly Json[] {
  return text === '' ? [] : [{ type: 'text', text }];
}
