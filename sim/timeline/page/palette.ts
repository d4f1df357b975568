import type { LineKind, TraceLine } from '../../engine/trace.ts';

/** Colors of the page by their names in its style, as they are in the theme of now. */
export interface Palette {
  readonly text: string;
  readonly dim: string;
  readonly faint: string;
  readonly line: string;
  readonly background: string;
  readonly stripe: string;
  readonly hover: string;
  readonly selected: string;
  readonly past: string;
  readonly future: string;
  readonly down: string;
  readonly paused: string;
  readonly cutOff: string;
  readonly kinds: Readonly<Record<LineKind, string>>;
  readonly warn: string;
  readonly error: string;
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ...{ text: color('text'), dim: color('dim'), faint: color('faint'), line: color('line') },
    ...{ background: color('background'), stripe: color('stripe'), hover: color('hover') },
    ...{ selected: color('selected'), past: color('past'), future: color('future') },
    ...{ down: color('down'), paused: color('paused'), cutOff: color('cut-off') },
    ...{ warn: color('warn'), error: color('error') },
    kinds: {
      ...{ starts: color('starts'), wakes: color('starts'), crashes: color('crashes') },
      ...{ pauses: color('warn'), sends: color('frames'), receives: color('frames') },
      ...{ commits: color('commits'), watches: color('commits'), decides: color('decides') },
      ...{ applies: color('applies'), serves: color('serves'), fault: color('fault') },
      ...{ user: color('user'), world: color('dim'), violation: color('crashes') },
    },
  };
}

export function colorOf({ kinds, warn, error }: Palette, line: TraceLine): string {
  if (line.level === 'error') return error;
  return line.level === 'warn' ? warn : kinds[line.kind];
}
