import { element } from './elements.ts';
import { makeHeader } from './header.ts';
import { type Action, actionOf } from './keys.ts';
import { type Palette, readPalette } from './palette.ts';
import { helpPanel, linePanel } from './panel.ts';
import { messageOf, type Run } from './run.ts';
import { Stage } from './stage.ts';
import { makeToolbar, type Toolbar } from './toolbar.ts';
import { type Choice, FIRST_CHOICE, relationsTo, type View, viewOf } from './view.ts';

const ROW_PX = { min: 1, max: 40 };
const PX_PER_MS = { min: 0.002, max: 20 };

/** The page: what is chosen by now, and all that shows it. */
export class App {
  readonly #run: Run;
  readonly #stage: Stage;
  readonly #toolbar: Toolbar;
  readonly #panel = element('aside');
  #choice: Choice = FIRST_CHOICE;
  #view: View;
  #relations: Uint8Array;
  #palette: Palette;

  constructor(run: Run) {
    this.#run = run;
    this.#view = viewOf(run, this.#choice);
    this.#relations = relationsTo(run, undefined);
    this.#palette = readPalette(document.documentElement);
    this.#stage = new Stage(run, {
      onSelect: (number) => this.#select(number),
      onHost: (host) => this.#toggleHost(host),
      onZoom: (factor) => this.#zoom(factor),
    });
    this.#toolbar = makeToolbar({
      run,
      change: (change) => this.#change(change),
      zoom: (factor) => this.#zoom(factor),
      goToViolation: () => this.#do('violation'),
    });
  }

  start(): void {
    const header = makeHeader(this.#run, () => this.#toggleTheme());
    const main = element('main', {}, this.#stage.element, this.#panel);
    document.body.append(header, this.#toolbar.element, main);
    document.addEventListener('keydown', (event) => {
      const action = actionOf(event);
      if (action === undefined) return;
      event.preventDefault();
      this.#do(action);
    });
    addEventListener('hashchange', () => this.#readHash());
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const { dataset } = document.documentElement;
    const follow = (): void => {
      dataset['theme'] = dark.matches ? 'dark' : 'light';
      this.#repaint();
    };
    dark.addEventListener('change', follow);
    follow();
    this.#readHash();
    const { violation } = this.#run;
    if (this.#choice.selected === undefined && violation !== undefined) this.#select(violation);
  }

  #change(change: Partial<Choice>): void {
    const anchor = this.#stage.anchor();
    const before = this.#choice;
    const next = { ...before, ...change };
    this.#choice = { ...next, scope: next.selected === undefined ? 'all' : next.scope };
    this.#view = viewOf(this.#run, this.#choice);
    if (next.selected !== before.selected) this.#relations = relationsTo(this.#run, next.selected);
    this.#show();
    if (anchor !== undefined) this.#stage.hold(anchor);
  }

  #show(): void {
    const [choice, view, relations, palette] = [
      this.#choice,
      this.#view,
      this.#relations,
      this.#palette,
    ];
    this.#toolbar.update(choice, view.counts, palette);
    this.#stage.show({ choice, view, relations, palette });
    const ports = {
      ...{ run: this.#run, palette },
      onSelect: (number: number) => this.#select(number),
      onClose: () => this.#select(undefined),
    };
    const { selected } = choice;
    const nodes = selected === undefined ? helpPanel(ports) : linePanel(ports, selected);
    this.#panel.replaceChildren(...nodes);
    this.#panel.scrollTop = 0;
  }

  /** Keeps the place in the address, so that the browser's back button goes back. */
  #select(number: number | undefined): void {
    if (number === this.#choice.selected) return;
    this.#change({ selected: number });
    if (number !== undefined) this.#stage.reveal(number);
    const hash = number === undefined ? '' : `#${number}`;
    if (location.hash !== hash) history.pushState(undefined, '', hash || location.pathname);
  }

  #readHash(): void {
    const [, digits] = /^#(\d+)$/.exec(location.hash) ?? [];
    const number = digits === undefined ? undefined : Number(digits);
    if (number === undefined || number < this.#run.lines.length) this.#select(number);
  }

  #do(action: Action): void {
    const { selected, noise, spacing, scope } = this.#choice;
    switch (action) {
      case 'next':
        return this.#step(1, () => true);
      case 'previous':
        return this.#step(-1, () => true);
      case 'next of host':
        return this.#step(1, (number) => this.#isOnHostOf(number, selected));
      case 'previous of host':
        return this.#step(-1, (number) => this.#isOnHostOf(number, selected));
      case 'cause':
        return this.#selectIf(selected === undefined ? undefined : this.#causeOf(selected));
      case 'effect':
        return this.#selectIf(selected === undefined ? undefined : this.#effectOf(selected));
      case 'violation':
        return this.#selectIf(this.#run.violation);
      case 'why':
        return this.#change({ scope: scope === 'why' ? 'all' : 'why' });
      case 'noise':
        return this.#change({ noise: noise === 'show' ? 'fold' : 'show' });
      case 'spacing':
        return this.#change({ spacing: spacing === 'time' ? 'even' : 'time' });
      case 'filter':
        return this.#toolbar.filter.focus();
      case 'larger':
        return this.#zoom(1.4);
      case 'smaller':
        return this.#zoom(1 / 1.4);
      case 'let go':
        this.#toolbar.filter.blur();
        return this.#select(undefined);
    }
  }

  #selectIf(number: number | undefined): void {
    if (number === undefined) return;
    this.#select(number);
    this.#stage.reveal(number);
  }

  /** The message it follows from, else what its host did before. */
  #causeOf(number: number): number | undefined {
    return messageOf(this.#run, number) ?? this.#run.graph.before[number]?.at(-1);
  }

  /** Where its message arrived, else what its host did next. */
  #effectOf(number: number): number | undefined {
    const effects = this.#run.graph.after[number] ?? [];
    return effects.find((each) => messageOf(this.#run, each) === number) ?? effects[0];
  }

  #isOnHostOf(number: number, other: number | undefined): boolean {
    return other === undefined || this.#run.lanes[number] === this.#run.lanes[other];
  }

  #step(by: 1 | -1, isMeant: (number: number) => boolean): void {
    const { numbers } = this.#view.layout;
    const { selected } = this.#choice;
    const start = selected === undefined ? -1 : this.#stage.rowOf(selected);
    for (let row = start + by; row >= 0 && row < numbers.length; row += by) {
      const number = numbers[row];
      if (number !== undefined && isMeant(number)) return this.#select(number);
    }
  }

  #toggleHost(host: string): void {
    const hidden = new Set(this.#choice.hiddenHosts);
    if (!hidden.delete(host)) hidden.add(host);
    this.#change({ hiddenHosts: hidden });
  }

  #zoom(factor: number): void {
    const { spacing, rowPx, pxPerMs } = this.#choice;
    if (spacing === 'even') this.#change({ rowPx: clamp(rowPx * factor, ROW_PX) });
    else this.#change({ pxPerMs: clamp(pxPerMs * factor, PX_PER_MS) });
  }

  #toggleTheme(): void {
    const { dataset } = document.documentElement;
    dataset['theme'] = dataset['theme'] === 'dark' ? 'light' : 'dark';
    this.#repaint();
  }

  #repaint(): void {
    this.#palette = readPalette(document.documentElement);
    this.#show();
  }
}

function clamp(
  value: number,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  return Math.max(min, Math.min(max, value));
}
