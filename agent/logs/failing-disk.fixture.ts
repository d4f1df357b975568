import type { MemoryDisk } from '../../runtime/disk/memory-disk.ts';

/** `late`: it takes effect and fails all the same, as a rename whose folder cannot be synced. */
export type Fault = 'none' | 'early' | 'late';

export interface Change {
  readonly verb: 'append' | 'rename' | 'remove';
  /** Of a rename, the name before. */
  readonly path: string;
}

/** Has changes of files of this disk fail from now on; `faultOf` is asked once for each. */
export function letFail(disk: MemoryDisk, faultOf: (change: Change) => Fault): void {
  const append = disk.append.bind(disk);
  const rename = disk.rename.bind(disk);
  const remove = disk.remove.bind(disk);
  const failing = async (change: Change, act: () => Promise<void>): Promise<void> => {
    const fault = faultOf(change);
    if (fault !== 'early') await act();
    if (fault !== 'none') throw new Error(`${change.verb} ${change.path}: EIO`);
  };
  disk.append = (path, bytes) => failing({ verb: 'append', path }, () => append(path, bytes));
  disk.rename = (from, to) => failing({ verb: 'rename', path: from }, () => rename(from, to));
  disk.remove = (path) => failing({ verb: 'remove', path }, () => remove(path));
}
