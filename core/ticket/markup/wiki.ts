import { GAP } from '../../text.ts';
import type { Block, TicketDocument } from '../document.ts';

/**
 * Jira Data Center's wiki markup (its REST API 2 takes no document tree).
 *
 * @see https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all (`\` escapes a special character)
 */
export function wikiMarkup(document: TicketDocument): string {
  return document.sections.map(({ heading, blocks }) => [`h3. ${escape(heading)}`, ...blocks.map(blockMarkup)].join('\n\n')).join('\n\n');
}

function blockMarkup(block: Block): string {
  switch (block.kind) {
    case 'text':
      return escape(block.text);
    case 'list':
      return block.items.map((item) => `* ${escape(item)}`).join('\n');
    case 'table':
      return [`||${block.head.map(cell).join('||')}||`, ...block.rows.map((row) => `|${row.map(cell).join('|')}|`)].join('\n');
    case 'code':
      // Nothing is markup inside but its own end.
      return `{noformat}\n${block.text.replaceAll(/\{(?=noformat)/gi, `{${GAP}`)}\n{noformat}`;
    case 'link':
      return `[${escape(block.text)}|${encodeURI(block.url).replaceAll(/[[\]|]/g, encodeURIComponent)}]`;
  }
}

/** An empty cell would end the row's columns. */
function cell(text: string): string {
  return escape(text) || ' ';
}

function escape(text: string): string {
  return text
    // A backslash escapes, and two are a line break: only the entity is a backslash.
    .replaceAll('&', '&amp;')
    .replaceAll('\\', '&#92;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[{}[\]()*_+\-^~?!|#%]/g, String.raw`\$&`)
    .replaceAll(/([:;])(?=\\?[()DP])/g, `$1${GAP}`)
    .replace(/^(h[1-6]|bq)\./, `$1${GAP}.`);
}
