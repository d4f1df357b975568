import type { Clock } from '../../runtime/clock.ts';
import type { Terminal } from '../../runtime/terminal.ts';
import { type ProgressState, renderProgress, renderProgressBar } from '../render/progress.ts';

/** Long work tells how far it is: a bar on a terminal, now and then a line elsewhere. */
export interface Progress {
  show(state: ProgressState): void;
  /** Takes the bar away. */
  end(): void;
}

const REDRAW_MS = 100;
const LINE_MS = 5000;

export function progressOn(terminal: Terminal, clock: Clock): Progress {
  const isBar = terminal.errorIsTerminal;
  let shownMs = isBar ? Number.NEGATIVE_INFINITY : clock.monotonicMs();
  let isDrawn = false;
  return {
    show(state) {
      const nowMs = clock.monotonicMs();
      if (nowMs - shownMs < (isBar ? REDRAW_MS : LINE_MS)) return;
      shownMs = nowMs;
      isDrawn = isBar;
      if (isBar) terminal.error(`\r\u001b[K${renderProgressBar(state, terminal.columns)}`);
      else terminal.error(`${renderProgress(state)}\n`);
    },
    end() {
      if (isDrawn) terminal.error('\r\u001b[K');
      isDrawn = false;
    },
  };
}
