import { button, element } from './elements.ts';
import type { Run } from './run.ts';

/** What the run was, how it ended, and how to see it again. */
export function makeHeader({ story }: Run, onTheme: () => void): HTMLElement {
  const { title, failure, facts, faults, replay } = story;
  const outcome = element('span', {
    class: failure === undefined ? 'outcome held' : 'outcome failed',
    text: failure === undefined ? 'holds' : 'fails',
  });
  const code = element('code', { text: replay });
  const copy = button('copy', 'copy the command', () => void copyText(replay, code, copy));
  return element(
    'header',
    { class: 'top' },
    element(
      'div',
      {},
      element('h1', { text: title }),
      outcome,
      ...facts.map(([name, value]) =>
        element(
          'span',
          { class: 'fact' },
          element('b', { text: value }),
          document.createTextNode(` ${name}`),
        ),
      ),
      element('span', { class: 'replay' }, code, copy, button('◐', 'light or dark', onTheme)),
    ),
    ...(failure === undefined ? [] : [element('p', { class: 'failure', text: failure })]),
    ...(faults.length === 0
      ? []
      : [
          element(
            'p',
            { class: 'faults' },
            ...faults.map(([name, value]) => faultChip(name, value)),
          ),
        ]),
  );
}

function faultChip(name: string, value: string): HTMLElement {
  return element(
    'span',
    { class: 'chip' },
    element('b', { text: name }),
    document.createTextNode(` ${value}`),
  );
}

/** Pages from files may not have a clipboard: then the command is selected at least. */
async function copyText(text: string, code: HTMLElement, copy: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    copy.textContent = 'copied';
  } catch {
    getSelection()?.selectAllChildren(code);
  }
}
