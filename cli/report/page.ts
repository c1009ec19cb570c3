import { html, type Html } from './html.ts';
import { style } from './style.ts';

interface Page {
  readonly title: string;
  /** The line above the heading. */
  readonly over: string;
  readonly heading: string;
  /** Styles of this kind of page. */
  readonly more?: Html;
}

/** A page up to its heading: one file, no script, nothing fetched. Its header is open: write on, close it, and end with `pageFoot`. */
export function pageHead({ title, over, heading, more }: Page): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${style}${more}</style>
</head>
<body>
<main>
<header>
<p class="over">${over}</p>
<h1>${heading}</h1>
`;
}

export function pageFoot(from: string): Html {
  return html`<footer>All times are UTC. ${from}; texts of events are shown as they arrived, without control characters.</footer>
</main>
</body>
</html>
`;
}
