import { formatBytes } from '../../api/column.ts';

export interface ProgressState {
  /** "hashing", "uploading" */
  readonly verb: string;
  readonly doneFiles: number;
  readonly totalFiles: number;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** One line without a bar: `uploading 3/12 files, 1.2MiB/34MiB`. */
export function renderProgress({ verb, ...state }: ProgressState): string {
  const bytes = `${formatBytes(state.doneBytes)}/${formatBytes(state.totalBytes)}`;
  return `${verb} ${state.doneFiles}/${state.totalFiles} files, ${bytes}`;
}

/** The same with a bar where the terminal has room for one. */
export function renderProgressBar(state: ProgressState, columns: number): string {
  const text = renderProgress(state);
  const width = Math.min(BAR_WIDTH_MAX, columns - text.length - ' []'.length - 1);
  if (width < BAR_WIDTH_MIN) return text.slice(0, Math.max(0, columns - 1));
  const share = state.totalBytes === 0 ? 1 : state.doneBytes / state.totalBytes;
  const full = Math.floor(Math.min(1, share) * width);
  return `${text} [${'='.repeat(full)}${' '.repeat(width - full)}]`;
}

const BAR_WIDTH_MAX = 40;
const BAR_WIDTH_MIN = 8;
