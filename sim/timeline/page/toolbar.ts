import type { LineKind } from '../../engine/trace.ts';
import { MARKS } from '../words.ts';
import { button, element } from './elements.ts';
import type { Palette } from './palette.ts';
import type { Run } from './run.ts';
import type { Choice, Scope } from './view.ts';

export interface ToolbarPorts {
  readonly run: Run;
  readonly change: (change: Partial<Choice>) => void;
  readonly zoom: (factor: number) => void;
  readonly goToViolation: () => void;
}

export interface Toolbar {
  readonly element: HTMLElement;
  readonly filter: HTMLInputElement;
  /** Shows what is chosen by now. */
  update(choice: Choice, counts: ReadonlyMap<LineKind, number>, palette: Palette): void;
}

const SCOPES: readonly (readonly [Scope, string, string])[] = [
  ['all', 'all', 'every line'],
  ['why', 'why', 'the nearest causes of the selected line (w)'],
  ['past', 'past', 'all that may have had a part in the selected line'],
  ['future', 'future', 'all that may follow from the selected line'],
];

export function makeToolbar(ports: ToolbarPorts): Toolbar {
  const { run, change, zoom, goToViolation } = ports;
  const filter = element('input', { title: 'words, -word, /pattern/, host:a,b, kind:x,y' });
  filter.type = 'search';
  filter.placeholder = 'filter: blog -heartbeat host:dom kind:commits,fault';
  filter.addEventListener('input', () => change({ filter: filter.value }));
  const noise = button('noise', 'heartbeats and whatever says nothing new (h)', () =>
    change({ noise: noise.classList.contains('on') ? 'fold' : 'show' }),
  );
  const spacing = button('by time', 'rows as far apart as they are in time (t)', () =>
    change({ spacing: spacing.classList.contains('on') ? 'even' : 'time' }),
  );
  const scopes = SCOPES.map(
    ([scope, text, title]) => [scope, button(text, title, () => change({ scope }))] as const,
  );
  const kinds = run.kinds.map((kind) => [kind, element('button', { class: 'kind' })] as const);
  for (const [kind, each] of kinds)
    each.addEventListener('click', (event) =>
      change({ hiddenKinds: kindsAfterClick(each, { kind, kinds, isAlone: event.shiftKey }) }),
    );
  const jump = button('violation', 'go to the violation (v)', goToViolation);
  jump.className = 'loud';
  const bar = element(
    'nav',
    {},
    filter,
    element('span', { class: 'group' }, ...scopes.map(([, each]) => each)),
    element('span', { class: 'group' }, noise, spacing),
    element(
      'span',
      { class: 'group' },
      button('−', 'smaller (-)', () => zoom(1 / 1.4)),
      button('+', 'larger (+)', () => zoom(1.4)),
    ),
    ...(run.violation === undefined ? [] : [jump]),
    element('span', { class: 'kinds' }, ...kinds.map(([, each]) => each)),
  );
  return {
    element: bar,
    filter,
    update(choice, counts, palette) {
      if (document.activeElement !== filter) filter.value = choice.filter;
      noise.classList.toggle('on', choice.noise === 'show');
      spacing.classList.toggle('on', choice.spacing === 'time');
      for (const [scope, each] of scopes) {
        each.classList.toggle('on', choice.scope === scope);
        each.disabled = scope !== 'all' && choice.selected === undefined;
      }
      for (const [kind, each] of kinds) {
        const mark = element('span', { text: MARKS[kind] });
        mark.style.color = palette.kinds[kind];
        each.replaceChildren(
          mark,
          ` ${kind} `,
          element('small', { text: `${counts.get(kind) ?? 0}` }),
        );
        each.title = 'click: with or without; shift and click: these alone';
        each.classList.toggle('off', choice.hiddenKinds.has(kind));
      }
    },
  };
}

/** What is hidden after a click on a kind. Alone, a second time: everything is back. */
function kindsAfterClick(
  clicked: HTMLElement,
  {
    kind,
    kinds,
    isAlone,
  }: {
    readonly kind: LineKind;
    readonly kinds: readonly (readonly [LineKind, HTMLElement])[];
    readonly isAlone: boolean;
  },
): ReadonlySet<LineKind> {
  const isHidden = ([, each]: readonly [LineKind, HTMLElement]): boolean =>
    each.classList.contains('off');
  const hidden = new Set(kinds.filter(isHidden).map(([each]) => each));
  if (isAlone) {
    const others = kinds.map(([each]) => each).filter((each) => each !== kind);
    const wasAlone = !hidden.has(kind) && others.every((each) => hidden.has(each));
    return new Set(wasAlone ? [] : others);
  }
  if (clicked.classList.contains('off')) hidden.delete(kind);
  else hidden.add(kind);
  return hidden;
}
