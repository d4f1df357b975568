export interface ElementOptions {
  readonly class?: string;
  readonly text?: string;
  readonly title?: string;
  readonly onclick?: (event: MouseEvent) => void;
}

/** An element with its children; text is text, never markup. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  options: ElementOptions = {},
  ...children: readonly Node[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (options.class !== undefined) made.className = options.class;
  if (options.text !== undefined) made.textContent = options.text;
  if (options.title !== undefined) made.title = options.title;
  if (options.onclick !== undefined) made.onclick = options.onclick;
  made.append(...children);
  return made;
}

export function button(
  text: string,
  title: string,
  onclick: (event: MouseEvent) => void,
): HTMLButtonElement {
  const made = element('button', { text, title, onclick });
  made.type = 'button';
  return made;
}

export function canvasContext(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('this browser cannot draw on a canvas');
  return context;
}

/** As many pixels as the screen has, and coordinates as the page has. */
export function fitCanvas(canvas: HTMLCanvasElement, widthPx: number, heightPx: number): void {
  const ratio = window.devicePixelRatio;
  const [width, height] = [Math.round(widthPx * ratio), Math.round(heightPx * ratio)];
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    canvas.style.width = `${widthPx}px`;
    canvas.style.height = `${heightPx}px`;
  }
  canvasContext(canvas).setTransform(ratio, 0, 0, ratio, 0, 0);
}
