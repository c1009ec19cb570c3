import type { Nodes, PhrasingContent, RootContent, TableRow } from 'mdast';
import { gfmToMarkdown } from 'mdast-util-gfm';
import { toMarkdown } from 'mdast-util-to-markdown';
import type { Block, TicketDocument } from '../document.ts';

/**
 * GitHub's Markdown, written from a tree: what is text there is escaped by the writer, so that none of it is formatting.
 *
 * @see https://github.github.com/gfm/
 */
export function githubMarkdown(document: TicketDocument): string {
  const children = document.sections.flatMap(({ heading, blocks }): RootContent[] => [{ type: 'heading', depth: 3, children: words(heading) }, ...blocks.map(blockNode)]);
  return write({ type: 'root', children });
}

function write(tree: Nodes): string {
  return toMarkdown(tree, { extensions: [gfmToMarkdown({ tablePipeAlign: false })], bullet: '-', fences: true, rule: '-' });
}

function blockNode(block: Block): RootContent {
  switch (block.kind) {
    case 'text':
      return { type: 'paragraph', children: words(block.text) };
    case 'list':
      return { type: 'list', spread: false, children: block.items.map((item) => ({ type: 'listItem', spread: false, children: [{ type: 'paragraph', children: words(item) }] })) };
    case 'table':
      return { type: 'table', children: [rowNode(block.head), ...block.rows.map(rowNode)] };
    case 'code':
      return { type: 'code', value: block.text };
    case 'link':
      return { type: 'paragraph', children: [{ type: 'link', url: block.url, children: words(block.text) }] };
  }
}

function rowNode(cells: readonly string[]): TableRow {
  return { type: 'tableRow', children: cells.map((cell) => ({ type: 'tableCell', children: words(cell) })) };
}

function words(text: string): PhrasingContent[] {
  return [{ type: 'text', value: text }];
}
