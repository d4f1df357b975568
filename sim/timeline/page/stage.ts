import { canvasContext, element, fitCanvas } from './elements.ts';
import { type Geometry, geometryOf, laneX } from './geometry.ts';
import { NAMES_PX, paintNames } from './lane-names.ts';
import { pxOfLine, rowAtLine, rowAtPx } from './layout.ts';
import { paintMinimap } from './minimap.ts';
import { FONT, paint } from './painter.ts';
import type { Palette } from './palette.ts';
import type { Run } from './run.ts';
import type { Choice, View } from './view.ts';

export interface StagePorts {
  readonly onSelect: (number: number | undefined) => void;
  /** A lane's name was clicked. */
  readonly onHost: (host: string) => void;
  readonly onZoom: (factor: number) => void;
}

/** What is to be drawn. */
export interface Scene {
  readonly choice: Choice;
  readonly view: View;
  readonly relations: Uint8Array;
  readonly palette: Palette;
}

/** A line, and how far below the upper edge it stands. */
export interface Anchor {
  readonly number: number;
  readonly offsetPx: number;
}

const MINIMAP_PX = 46;
/** A click this far from a line still means it. */
const REACH_PX = 14;

/** Lanes and lines: a canvas as large as the window, in front of a page as long as the run. */
export class Stage {
  readonly element: HTMLElement;
  readonly #run: Run;
  readonly #ports: StagePorts;
  readonly #names = element('canvas', { class: 'names' });
  readonly #canvas = element('canvas', { class: 'lines' });
  readonly #minimap = element('canvas', { class: 'minimap', title: 'the whole run' });
  readonly #length = element('div', { class: 'length' });
  readonly #scroller: HTMLElement;
  readonly #tip = element('div', { class: 'tip' });
  #scene: Scene | undefined;
  #geometry: Geometry | undefined;
  #hovered: number | undefined;
  #frame: number | undefined;

  constructor(run: Run, ports: StagePorts) {
    this.#run = run;
    this.#ports = ports;
    this.#scroller = element('div', { class: 'scroller' }, this.#length, this.#canvas);
    this.#scroller.tabIndex = 0;
    this.#tip.hidden = true;
    const body = element('div', { class: 'body' }, this.#scroller, this.#minimap, this.#tip);
    this.element = element('section', { class: 'stage' }, this.#names, body);
    this.#listen();
  }

  show(scene: Scene): void {
    this.#scene = scene;
    this.#length.style.height = `${scene.view.layout.heightPx}px`;
    this.draw();
  }

  /** The selected line where it can be seen, else the one in the middle. */
  anchor(): Anchor | undefined {
    if (this.#scene === undefined) return undefined;
    const { layout } = this.#scene.view;
    const { scrollTop, clientHeight } = this.#scroller;
    const { selected } = this.#scene.choice;
    const selectedPx = selected === undefined ? -1 : pxOfLine(layout, selected) - scrollTop;
    if (selected !== undefined && selectedPx >= 0 && selectedPx <= clientHeight)
      return { number: selected, offsetPx: selectedPx };
    const row = Math.min(rowAtPx(layout, scrollTop + clientHeight / 2), layout.numbers.length - 1);
    const number = layout.numbers[row];
    if (number === undefined) return undefined;
    return { number, offsetPx: (layout.y[row] ?? 0) - scrollTop };
  }

  /** Brings a line to where it stood before everything around it changed. */
  hold({ number, offsetPx }: Anchor): void {
    if (this.#scene === undefined) return;
    this.#scroller.scrollTop = pxOfLine(this.#scene.view.layout, number) - offsetPx;
    this.draw();
  }

  /** Scrolls as little as it takes; far away lines come to the middle. */
  reveal(number: number): void {
    if (this.#scene === undefined) return;
    const y = pxOfLine(this.#scene.view.layout, number);
    const { scrollTop, clientHeight } = this.#scroller;
    const margin = Math.min(80, clientHeight / 4);
    if (y < scrollTop + margin || y > scrollTop + clientHeight - margin) {
      const isNear = Math.abs(y - scrollTop - clientHeight / 2) < clientHeight;
      const nearPx = y < scrollTop + margin ? y - margin : y - clientHeight + margin;
      this.#scroller.scrollTop = isNear ? nearPx : y - clientHeight / 2;
    }
    this.draw();
  }

  /** At the next frame, however often it is asked for. */
  draw(): void {
    if (this.#frame !== undefined) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = undefined;
      if (this.#scene !== undefined) this.#draw(this.#scene);
    });
  }

  #draw({ choice, view, relations, palette }: Scene): void {
    const run = this.#run;
    const { clientWidth: widthPx, clientHeight: heightPx, scrollTop: topPx } = this.#scroller;
    const context = canvasContext(this.#canvas);
    context.font = FONT;
    const characterPx = context.measureText('0').width;
    const rowPx = choice.spacing === 'even' ? choice.rowPx : Infinity;
    const geometry = geometryOf({ widthPx, characterPx, lanes: run.hosts.length, rowPx });
    this.#geometry = geometry;
    fitCanvas(this.#canvas, widthPx, heightPx);
    const hovered = this.#hovered;
    paint(context, {
      ...{ run, view, choice, geometry, palette, relations, hovered, topPx, heightPx },
    });
    fitCanvas(this.#names, widthPx, NAMES_PX[geometry.names]);
    const selectedLane = choice.selected === undefined ? undefined : run.lanes[choice.selected];
    paintNames(canvasContext(this.#names), {
      ...{ run, geometry, palette, hidden: choice.hiddenHosts, selectedLane },
    });
    fitCanvas(this.#minimap, MINIMAP_PX, heightPx);
    const minimap = { widthPx: MINIMAP_PX, heightPx, topPx, seenPx: heightPx };
    paintMinimap(canvasContext(this.#minimap), { run, view, palette, ...minimap });
  }

  #listen(): void {
    new ResizeObserver(() => this.draw()).observe(this.#scroller);
    this.#scroller.addEventListener('scroll', () => this.draw());
    this.#canvas.addEventListener('click', (event) => this.#ports.onSelect(this.#lineAt(event)));
    this.#canvas.addEventListener('mousemove', (event) => this.#hover(event));
    this.#canvas.addEventListener('mouseleave', () => this.#hover(undefined));
    this.#names.addEventListener('click', (event) => this.#clickName(event));
    this.#scroller.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    const jump = (event: PointerEvent): void => {
      if (event.buttons !== 1 || this.#scene === undefined) return;
      const { heightPx } = this.#scene.view.layout;
      const { clientHeight } = this.#scroller;
      this.#scroller.scrollTop = (event.offsetY / clientHeight) * heightPx - clientHeight / 2;
    };
    this.#minimap.addEventListener('pointerdown', (event) => {
      this.#minimap.setPointerCapture(event.pointerId);
      jump(event);
    });
    this.#minimap.addEventListener('pointermove', jump);
  }

  #wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.#ports.onZoom(Math.exp(-event.deltaY / 300));
  }

  #hover(event: MouseEvent | undefined): void {
    const number = event === undefined ? undefined : this.#lineAt(event);
    this.#tip.hidden = number === undefined || this.#geometry?.wordsPx !== undefined;
    if (event !== undefined && number !== undefined && !this.#tip.hidden) {
      const line = this.#run.lines[number];
      const seconds = ((line?.atMs ?? 0) / 1000).toFixed(3);
      this.#tip.textContent = `${seconds} ${line?.host}  ${this.#run.words[number]}`;
      this.#tip.style.top = `${event.offsetY + 14}px`;
      this.#tip.style.left = `${Math.min(event.offsetX + 14, (this.#geometry?.widthPx ?? 0) / 2)}px`;
    }
    if (number === this.#hovered) return;
    this.#hovered = number;
    this.draw();
  }

  /** The nearest line; of several at one height the one whose lane is nearest. */
  #lineAt({ offsetX, offsetY }: MouseEvent): number | undefined {
    if (this.#scene === undefined || this.#geometry === undefined) return undefined;
    const geometry = this.#geometry;
    const { layout } = this.#scene.view;
    const px = this.#scroller.scrollTop + offsetY;
    let best: { readonly number: number; readonly distance: number } | undefined;
    for (let row = rowAtPx(layout, px - REACH_PX); row < layout.numbers.length; row += 1) {
      const [y, number] = [layout.y[row] ?? 0, layout.numbers[row] ?? 0];
      if (y > px + REACH_PX) break;
      const isOnWords = geometry.wordsPx !== undefined && offsetX >= geometry.wordsPx;
      const sideways = isOnWords ? 0 : laneX(geometry, this.#run.lanes[number] ?? 0) - offsetX;
      const isRow = this.#scene.choice.spacing === 'even' && geometry.wordsPx !== undefined;
      const distance = Math.hypot(y - px, isRow ? 0 : sideways);
      if (best === undefined || distance < best.distance) best = { number, distance };
    }
    return best?.number;
  }

  #clickName({ offsetX }: MouseEvent): void {
    if (this.#geometry === undefined) return;
    const { lanesPx, lanePx } = this.#geometry;
    const host = this.#run.hosts[Math.floor((offsetX - lanesPx) / lanePx)];
    if (host !== undefined) this.#ports.onHost(host);
  }

  /** The row of a line as it is shown now. */
  rowOf(number: number): number {
    return this.#scene === undefined ? 0 : rowAtLine(this.#scene.view.layout, number);
  }
}
