import type { Block, TicketDocument } from '../document.ts';

/** For trackers and mails without a markup: OpsCenter, SNS, Slack's preview. Nothing in it can be formatting. */
export function plainText(document: TicketDocument): string {
  return document.sections.map(({ heading, blocks }) => [`${heading}:`, ...blocks.map(blockText)].join('\n')).join('\n\n');
}

function blockText(block: Block): string {
  switch (block.kind) {
    case 'text':
      return block.text;
    case 'list':
      return block.items.map((item) => `- ${item}`).join('\n');
    case 'table':
      return block.rows.map((row) => `- ${row.map((cell, column) => (column === 0 ? cell : `${block.head[column] ?? ''} ${cell}`)).join('; ')}`).join('\n');
    case 'code':
      return block.text.split('\n').map((line) => `    ${line}`).join('\n');
    case 'link':
      return `${block.text}: ${block.url}`;
  }
}
