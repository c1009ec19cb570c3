import { htmlEscape } from 'escape-goat';
import type { Block, TicketDocument } from '../document.ts';

/** The HTML that Request Tracker shows: a handful of elements, no attributes but a link's. */
export function ticketHtml(document: TicketDocument): string {
  return document.sections.map(({ heading, blocks }) => `<h3>${htmlEscape(heading)}</h3>\n${blocks.map(blockHtml).join('\n')}`).join('\n');
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case 'text':
      return `<p>${htmlEscape(block.text)}</p>`;
    case 'list':
      return `<ul>${block.items.map((item) => `<li>${htmlEscape(item)}</li>`).join('')}</ul>`;
    case 'table':
      return `<table>${[row('th', block.head), ...block.rows.map((cells) => row('td', cells))].join('')}</table>`;
    case 'code':
      return `<pre>${htmlEscape(block.text)}</pre>`;
    case 'link':
      return `<p><a href="${htmlEscape(block.url)}">${htmlEscape(block.text)}</a></p>`;
  }
}

function row(cell: 'td' | 'th', cells: readonly string[]): string {
  return `<tr>${cells.map((text) => `<${cell}>${htmlEscape(text)}</${cell}>`).join('')}</tr>`;
}
