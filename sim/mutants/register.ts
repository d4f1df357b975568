/**
 * `MUTANT=name node --import ./sim/mutants/register.ts …`: the process runs with that bug in it. It
 * is put in as the file is loaded, so nothing on disk is ever wrong.
 */
import { registerHooks } from 'node:module';
import { mutantNamed } from './all.ts';
import { mutate } from './mutant.ts';

const mutant = mutantNamed(process.env['MUTANT'] ?? '');
const place = new URL(`../../${mutant.file}`, import.meta.url).href;

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context);
    if (url !== place || loaded.source === undefined || loaded.source === null) return loaded;
    const source = new TextDecoder().decode(Buffer.from(loaded.source as Uint8Array));
    return { ...loaded, source: mutate(source, mutant) };
  },
});
