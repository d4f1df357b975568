import { knowledgeAt } from '../causes.ts';
import { clockOf, markOf } from '../words.ts';
import { button, element } from './elements.ts';
import { colorOf, type Palette } from './palette.ts';
import type { Run } from './run.ts';

export interface PanelPorts {
  readonly run: Run;
  readonly palette: Palette;
  readonly onSelect: (number: number) => void;
  readonly onClose: () => void;
}

/** So many effects of a line are listed. */
const EFFECTS_MAX = 30;

/** Everything about one line: what it says, what it follows from, and what its host could know. */
export function linePanel(ports: PanelPorts, number: number): readonly Node[] {
  const { run, palette } = ports;
  const line = run.lines[number];
  if (line === undefined) return [];
  const { before, after } = run.graph;
  const badge = element('span', { class: 'badge', text: line.level ?? line.kind });
  badge.style.background = colorOf(palette, line);
  const known = [...knowledgeAt(run.lines, run.graph, number).values()];
  const effects = after[number] ?? [];
  return [
    element(
      'header',
      {},
      badge,
      element('b', { text: line.host }),
      element('span', { class: 'dim', text: `${clockOf(line)} s` }),
      element('span', { class: 'dim', text: `#${number}` }),
      button('×', 'close (Esc)', ports.onClose),
    ),
    element('p', { class: 'words', text: run.words[number] ?? '' }),
    ...fieldsOf(line.fields),
    ...section(ports, 'follows from', newestFirst(before[number] ?? [])),
    ...section(ports, 'leads to', effects.slice(0, EFFECTS_MAX), effects.length - EFFECTS_MAX),
    ...section(ports, `the last that ${line.host} could know of the others`, known),
  ];
}

function newestFirst(numbers: readonly number[]): readonly number[] {
  return numbers.toSorted((a, b) => b - a);
}

function fieldsOf(fields: Readonly<Record<string, unknown>> | undefined): readonly Node[] {
  const entries = Object.entries(fields ?? {});
  if (entries.length === 0) return [];
  const rows = entries.map(([name, value]) =>
    element(
      'tr',
      {},
      element('th', { text: name }),
      element('td', {}, element('pre', { text: textOf(value) })),
    ),
  );
  return [element('table', {}, ...rows)];
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((each) => typeof each === 'string'))
    return value.join('\n');
  return JSON.stringify(value, undefined, 1) ?? '';
}

function section(
  ports: PanelPorts,
  title: string,
  numbers: readonly number[],
  left = 0,
): readonly Node[] {
  if (numbers.length === 0) return [];
  const items = numbers.map((number) => lineLink(ports, number));
  const more = left > 0 ? [element('li', { class: 'dim', text: `and ${left} more` })] : [];
  return [element('h2', { text: title }), element('ul', {}, ...items, ...more)];
}

function lineLink({ run, palette, onSelect }: PanelPorts, number: number): HTMLElement {
  const line = run.lines[number];
  if (line === undefined) return element('li');
  const mark = element('span', { class: 'mark', text: markOf(line) });
  mark.style.color = colorOf(palette, line);
  const link = element(
    'a',
    {
      title: run.words[number] ?? '',
      onclick: (event) => {
        event.preventDefault();
        onSelect(number);
      },
    },
    element('span', { class: 'dim', text: clockOf(line) }),
    element('b', { text: line.host }),
    mark,
    element('span', { text: run.words[number] ?? '' }),
  );
  link.href = `#${number}`;
  return element('li', {}, link);
}

const KEYS: readonly (readonly [string, string])[] = [
  ['click', 'what a line says, follows from and leads to'],
  ['j k  ↓ ↑', 'next and previous line'],
  ['n p', 'next and previous line of the same host'],
  ['c e', 'to its cause, to its effect'],
  ['v', 'to the violation'],
  ['w', 'only its nearest causes, or everything again'],
  ['h', 'heartbeats and other noise'],
  ['/', 'filter: words, -word, /pattern/, host:a,b, kind:x,y'],
  ['+ −', 'zoom, also with Ctrl and the wheel'],
  ['t', 'rows evenly, or as far apart as in time'],
  ['Esc', 'let go'],
];

/** What to do here, for as long as nothing is selected. */
export function helpPanel({ run, onSelect }: PanelPorts): readonly Node[] {
  const { violation, lines } = run;
  const rows = KEYS.map(([keys, what]) =>
    element('tr', {}, element('th', { text: keys }), element('td', { text: what })),
  );
  const jump =
    violation === undefined ? [] : [button('go to the violation', 'v', () => onSelect(violation))];
  return [
    element('h2', { text: `${lines.length} lines on ${run.hosts.length} hosts` }),
    ...jump,
    element('table', { class: 'keys' }, ...rows),
    element('p', {
      class: 'dim',
      text: 'A lane is a host. Grey: it is down; yellow: it stands still; orange: it is cut off. Blue rows may have had a part in the selected line, orange ones may follow from it.',
    }),
  ];
}
