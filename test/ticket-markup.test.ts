import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';
import { describe, expect, it } from 'vitest';
import { fit } from '../core/ticket/fit.ts';
import type { Block, TicketDocument } from '../core/ticket/document.ts';
import { atlassianDocument } from '../core/ticket/markup/adf.ts';
import { ticketHtml } from '../core/ticket/markup/html.ts';
import { githubMarkdown } from '../core/ticket/markup/markdown.ts';
import { plainText } from '../core/ticket/markup/plain.ts';
import { slackBlocks, slackText } from '../core/ticket/markup/slack.ts';
import { wikiMarkup } from '../core/ticket/markup/wiki.ts';
import { ticketOf, titleWithin } from '../core/ticket.ts';
import { HOSTILE } from './hostile.ts';
import { viewWith } from './trackers/view.ts';

const adf = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(join(import.meta.dirname, 'trackers/adf.schema.json'), 'utf8')));
const LIMIT = 30_000;
/** Controls, formats (direction marks, invisibles), lone surrogates, line separators; the zero-width space is ours. */
const UNPRINTABLE = /[^\P{C}\n\u200B]|[\u2028\u2029]/u;
const MENTION = /@[A-Za-z0-9]|:\/\/|\bwww\.|#\w|\bGH-\d|\bmailto:|\bjavascript:|\bdata:/i;

/** The ticket of an incident that has the text wherever an event may put one, cut to what trackers take. */
function fitted(text: string): TicketDocument {
  return fit(ticketOf(viewWith(text)), (document) => Math.max(githubMarkdown(document).length, JSON.stringify(atlassianDocument(document)).length, ticketHtml(document).length), LIMIT, 's3://evidence/x').document;
}

describe.each(Object.entries(HOSTILE))('%s', (_, text) => {
  const document = fitted(text);

  it('is no more than text in the document', () => {
    for (const words of wordsOf(document)) expect(words).not.toMatch(MENTION);
    for (const words of [...wordsOf(document), ...codeOf(document)]) expect(words).not.toMatch(UNPRINTABLE);
    expect(Buffer.byteLength(titleWithin(document, 200))).toBeLessThanOrEqual(200);
    expect(titleWithin(document, 200)).toMatch(/\[inc-20260731-0a1b2c3d4e\]$/);
  });

  it('is inert in GitHub\'s Markdown', () => {
    const html = micromark(githubMarkdown(document), { extensions: [gfm()], htmlExtensions: [gfmHtml()] });
    expect(tagsOf(html)).toEqual(new Set(['h3', 'p', 'ul', 'li', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'pre', 'code']));
    // Outside code, as the words are shown: each once, whole, and nothing beside them.
    const shown = textOf(html.replaceAll(/<pre>.*?<\/pre>/gs, ''));
    expect(shown.replaceAll('s3://evidence/x', '')).not.toMatch(MENTION);
    for (const words of wordsOf(document)) expect(shown).toContain(squeezed(words));
  });

  it('is inert in Atlassian\'s document format', () => {
    const made = atlassianDocument(document);
    expect(adf(made), JSON.stringify(adf.errors?.slice(0, 3))).toBe(true);
    expect(new Set(JSON.stringify(made).match(/"type":"\w+"/g))).not.toContain('"type":"mention"');
  });

  it('is inert in Request Tracker\'s HTML', () => {
    const html = ticketHtml(document);
    expect(tagsOf(html)).toEqual(new Set(['h3', 'p', 'ul', 'li', 'table', 'tr', 'th', 'td', 'pre']));
    expect(html).not.toMatch(/<[^>]*(?:\son|style|src)\s*=/i);
    for (const words of wordsOf(document)) expect(textOf(html)).toContain(squeezed(words));
  });

  it('is inert in Jira\'s wiki markup', () => {
    const parts = wikiMarkup(document).split('{noformat}');
    // Outside of the code, which our own markers alone begin and end, no character that formats stands unescaped.
    expect(parts.length % 2).toBe(1);
    for (const part of parts.filter((_, index) => index % 2 === 0)) {
      const bare = part.replaceAll(/\\[{}[\]()*_+\-^~?!|#%]/g, '').replaceAll(/^(?:h3\. |\* |\|\|?)|\|\|?(?=.)|\|\|?$/gm, '');
      expect(bare).not.toMatch(/[{}[\]\\*_^~!#<>]|^(?:h[1-6]|bq)\./m);
    }
  });

  it('is inert in Slack', () => {
    const blocks = JSON.stringify(slackBlocks(fit(document, (part) => plainText(part).length, 3000, 's3://evidence/x').document));
    expect(new Set(blocks.match(/"type":"\w+"/g))).toEqual(new Set(['header', 'plain_text', 'rich_text', 'rich_text_section', 'rich_text_list', 'rich_text_preformatted', 'text'].map((type) => `"type":"${type}"`)));
    expect(blocks.length).toBeLessThan(20_000);
    expect(slackText(document.title)).not.toMatch(/[<>]/);
  });

  it('is inert in plain text', () => {
    expect(plainText(document)).not.toMatch(UNPRINTABLE);
  });
});

describe('a document', () => {
  it('keeps what is needed most, and says where all of it is, within any limit', () => {
    const whole = ticketOf(viewWith('x'.repeat(900)));
    fc.assert(
      fc.property(fc.integer({ min: 700, max: 12_000 }), (limit) => {
        const { document, cut } = fit(whole, (part) => plainText(part).length, limit, 's3://evidence/x');
        expect(plainText(document).length).toBeLessThanOrEqual(limit);
        expect(plainText(document).includes('s3://evidence/x')).toBe(cut);
      }),
    );
    const headings = fit(whole, (part) => plainText(part).length, 2048, 's3://evidence/x').document.sections.map(({ heading }) => heading);
    expect(headings).toContain('What happened');
    expect(headings).toContain('To restore');
    expect(headings).not.toContain('Timeline');
  });

  it('never shows half of a command', () => {
    const long: TicketDocument = { ...ticketOf(viewWith('x')), sections: [{ heading: 'Restore', keep: 90, blocks: [{ kind: 'code', text: `aws s3api ${'x'.repeat(5000)}` }] }] };
    expect(codeOf(fit(long, (part) => plainText(part).length, 2048, 's3://evidence/x').document)).toEqual([]);
  });

  it('stays whole where it fits', () => {
    const whole = ticketOf(viewWith('holiday'));
    expect(fit(whole, (part) => plainText(part).length, 100_000, 's3://evidence/x')).toEqual({ document: whole, cut: false });
  });
});

function wordsOf(document: TicketDocument): readonly string[] {
  return [document.title, ...document.sections.flatMap(({ heading, blocks }) => [heading, ...blocks.flatMap(textsOf)])].filter((words) => !words.includes('s3://evidence/x') && !words.startsWith('https://')).slice(1);
}

function textsOf(block: Block): readonly string[] {
  if (block.kind === 'text') return [block.text];
  if (block.kind === 'list') return block.items;
  return block.kind === 'table' ? [...block.head, ...block.rows.flat()] : [];
}

function codeOf(document: TicketDocument): readonly string[] {
  return document.sections.flatMap(({ blocks }) => blocks.flatMap((block) => (block.kind === 'code' ? [block.text] : [])));
}

function tagsOf(html: string): ReadonlySet<string> {
  return new Set([...html.matchAll(/<\/?([^\s>/]+)/g)].map((match) => match[1] ?? ''));
}

/** What a browser shows of HTML: tags away, entities read, white space as one space. */
function textOf(html: string): string {
  const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' };
  return squeezed(html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => entities[name] ?? ''));
}

function squeezed(text: string): string {
  return text.replaceAll(/[^\S\u200B]+/g, ' ').trim();
}
