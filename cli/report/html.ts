import { htmlEscape } from 'escape-goat';
import { plain } from '../../core/text.ts';

/** Markup that is safe to write: only `html` makes it. */
export class Html {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  static tag(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
    return new Html(strings.reduce((text, part, index) => text + contentOf(values[index - 1]) + part));
  }

  toString(): string {
    return this.#text;
  }
}

/** What may stand in a template: text is escaped, markup is kept, lists are joined, `null` is nothing. */
export type Content = string | number | Html | null | undefined | readonly Content[];

/** Every text in a report may come from an attacker: here, and only here, it becomes HTML. */
export const html = (strings: TemplateStringsArray, ...values: readonly Content[]): Html => Html.tag(strings, ...values);

function contentOf(value: Content): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'string') return htmlEscape(plain(value, Number.MAX_SAFE_INTEGER));
  if (typeof value === 'number') return String(value);
  return value.map(contentOf).join('');
}
