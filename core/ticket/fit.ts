import { clipped } from '../text.ts';
import type { Block, Section, TicketDocument } from './document.ts';

/** A form of the document, and whether it says less than all. */
export interface Fitted {
  readonly document: TicketDocument;
  readonly cut: boolean;
}

/**
 * As much of a document as a tracker takes: first long blocks are shortened, then sections left out, the least needed
 * first. Where anything is missing, the last section says where all of it is.
 *
 * @param size - of the document as the tracker would get it, in the unit of `limit`
 * @param whole - where the full text is: `s3://bucket/key`
 */
export function fit(document: TicketDocument, size: (document: TicketDocument) => number, limit: number, whole: string): Fitted {
  if (size(document) <= limit) return { document, cut: false };
  for (const allowance of ALLOWANCES) {
    const short: TicketDocument = { ...document, sections: [...document.sections.map((entry) => shortened(entry, allowance)), pointer(whole)] };
    if (size(short) <= limit) return { document: short, cut: true };
  }
  let sections: readonly Section[] = document.sections.map((entry) => shortened(entry, TIGHTEST));
  while (sections.length > 0) {
    const least = Math.min(...sections.map(({ keep }) => keep));
    sections = sections.toSpliced(sections.findLastIndex(({ keep }) => keep === least), 1);
    const short: TicketDocument = { ...document, sections: [...sections, pointer(whole)] };
    if (size(short) <= limit) return { document: short, cut: true };
  }
  return { document: { ...document, sections: [pointer(whole)] }, cut: true };
}

interface Allowance {
  readonly characters: number;
  readonly items: number;
}

const TIGHTEST: Allowance = { characters: 200, items: 5 };
const ALLOWANCES: readonly Allowance[] = [{ characters: 8000, items: 200 }, { characters: 2000, items: 50 }, { characters: 600, items: 15 }, TIGHTEST];

function pointer(whole: string): Section {
  return { heading: 'There is more', keep: 100, blocks: [{ kind: 'text', text: `This is shortened. The full text is in the evidence bucket: ${whole}` }] };
}

function shortened(part: Section, allowance: Allowance): Section {
  return { ...part, blocks: part.blocks.flatMap((block) => shorter(block, allowance)) };
}

function shorter(block: Block, { characters, items }: Allowance): readonly Block[] {
  switch (block.kind) {
    case 'text':
      return [{ ...block, text: cut(block.text, characters) }];
    case 'code':
      // A command that lost its end must not be run: it is left out, not cut.
      return block.text.length <= characters ? [block] : [{ kind: 'text', text: `(${block.text.length} characters, left out here)` }];
    case 'list':
      return [{ ...block, items: block.items.slice(0, items).map((item) => cut(item, characters)) }, ...rest(block.items.length - items)];
    case 'table':
      return [{ ...block, rows: block.rows.slice(0, items).map((row) => row.map((cell) => cut(cell, Math.ceil(characters / 2)))) }, ...rest(block.rows.length - items)];
    case 'link':
      return [block];
  }
}

function rest(count: number): readonly Block[] {
  return count > 0 ? [{ kind: 'text', text: `… and ${count} more` }] : [];
}

function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${clipped(text, limit - 1)}…`;
}
