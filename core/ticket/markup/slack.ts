import type { Json } from '../../bucket.ts';
import { clipped } from '../../text.ts';
import type { Block, TicketDocument } from '../document.ts';

/**
 * Slack's blocks: headers as plain text, the rest as rich text, whose text elements are shown as they are. No `mrkdwn` is
 * used anywhere, so that nothing in it is read as a mention, a channel or a link.
 *
 * @see https://docs.slack.dev/reference/block-kit/blocks/rich-text-block/
 */
export function slackBlocks(document: TicketDocument): readonly Json[] {
  return [header(document.title), ...document.sections.map(({ heading, blocks }) => ({ type: 'rich_text', elements: [paragraph(heading, { bold: true }), ...blocks.map(element)] }))];
}

/** What notifications and screen readers show: `&`, `<` and `>` are all that Slack reads as control characters. */
export function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Characters. @see https://docs.slack.dev/reference/block-kit/blocks/header-block/ */
const HEADER_LIMIT = 150;

function header(title: string): Json {
  return { type: 'header', text: { type: 'plain_text', emoji: false, text: title.length <= HEADER_LIMIT ? title : `${clipped(title, HEADER_LIMIT - 1)}…` } };
}

function element(block: Block): Json {
  switch (block.kind) {
    case 'text':
      return paragraph(block.text);
    case 'list':
      return { type: 'rich_text_list', style: 'bullet', elements: block.items.map((item) => paragraph(item)) };
    case 'table':
      return { type: 'rich_text_list', style: 'bullet', elements: block.rows.map((row) => paragraph(row.map((cell, column) => (column === 0 ? cell : `${block.head[column] ?? ''} ${cell}`)).join('; '))) };
    case 'code':
      return { type: 'rich_text_preformatted', elements: words(block.text) };
    case 'link':
      return { type: 'rich_text_section', elements: [{ type: 'link', url: block.url, text: block.text }] };
  }
}

function paragraph(text: string, style?: { readonly bold: true }): Json {
  return { type: 'rich_text_section', elements: words(`${text}\n`, style) };
}

function words(text: string, style?: { readonly bold: true }): Json[] {
  return text === '' ? [] : [{ type: 'text', text, ...(style ? { style } : {}) }];
}
