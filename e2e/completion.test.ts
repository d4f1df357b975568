import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from './support/processes.ts';
import { describeOnStores, siteYaml, useScene } from './support/scene.ts';

const BIN = join(import.meta.dirname, '../bin');

/** How each shell is asked what it would complete a line to: by its own machinery. */
const SHELLS = [
  {
    ...{ shell: 'bash', program: '/usr/bin/bash' },
    // As readline calls it: words, where the cursor is, then the function that is registered.
    script: (line: string) => `
      source <(b8sctl completion bash)
      COMP_LINE=${quoted(line)}; COMP_POINT=\${#COMP_LINE}
      read -ra COMP_WORDS <<< "$COMP_LINE"
      [[ "$COMP_LINE" == *' ' ]] && COMP_WORDS+=('')
      COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
      compopt() { :; }
      $(complete -p b8sctl | sed 's/.*-F \\([^ ]*\\).*/\\1/')
      printf '%s\\n' "\${COMPREPLY[@]}"`,
  },
  {
    ...{ shell: 'zsh', program: '/usr/bin/zsh' },
    // zsh completes only on a terminal of its own; compadd shows what it was given.
    script: (line: string) => `
      zmodload zsh/zpty
      zpty z zsh -f -i
      zpty -w z 'PS1=; unsetopt zle_bracketed_paste 2>/dev/null'
      zpty -w z 'autoload -Uz compinit; compinit -D -u; source <(b8sctl completion zsh)'
      zpty -w z 'compadd() { print -r -- "<<"; [[ \${@[1]} == -- ]] && shift; print -rl -- $=candidates; print -r -- ">>"; }'
      zpty -w z 'echo rea''dy'
      zpty -r z out '*ready*'
      zpty -n -w z ${quoted(`${line}\t`)}
      zpty -r z out '*>>*'
      print -r -- "\${out}" | sed -n '/<</,/>>/p' | grep -v '<<\\|>>'`,
  },
  {
    ...{ shell: 'fish', program: '/usr/bin/fish' },
    script: (line: string) => `
      b8sctl completion fish | source
      complete -C ${quoted(line)} | cut -f1`,
  },
] as const;

await describeOnStores(
  'completion',
  (kind) => {
    const scene = useScene(kind, { name: 'completion', nodes: 1 });
    const home = mkdtempSync(join(tmpdir(), 'b8s-completion-'));
    beforeAll(async () => {
      const sites = ['blog', 'bakery', 'shop'].map((name) =>
        siteYaml(name, `${name}.example.test`),
      );
      await scene().cluster.b8sctlOk(['apply', '-f', '-'], { input: sites.join('---\n') });
    });
    afterAll(() => rmSync(home, { recursive: true, force: true }));

    describe.each(SHELLS)('in $shell', ({ shell, program, script }) => {
      const isMissing = !existsSync(program);
      test.skipIf(isMissing && process.env['CI'] !== 'true').each([
        { line: 'b8sctl desc', whole: ['describe'] },
        { line: 'b8sctl get zo', whole: ['zone', 'zones'] },
        { line: 'b8sctl get site b', whole: ['bakery', 'blog'] },
        { line: 'b8sctl describe site/s', whole: ['site/shop'] },
        { line: 'b8sctl rollout und', whole: ['undo'] },
        { line: 'b8sctl delete site shop --casc', whole: ['--cascade'] },
        { line: 'b8sctl cordon syd', whole: ['sydney'] },
        { line: 'b8sctl explain site.spec.tt', whole: ['site.spec.ttl'] },
        { line: 'b8sctl dns explain sho', whole: ['shop.example.test'] },
      ])('$line', async ({ line, whole }) => {
        const file = join(home, `${shell}.script`);
        writeFileSync(file, script(line));
        const env = {
          PATH: `${BIN}:${process.env['PATH']}`,
          ...{ B8SCONFIG: scene().cluster.configFile, HOME: home, XDG_CONFIG_HOME: home },
        };
        const { stdout, stderr } = await run(program, [file], { env, timeoutMs: 30_000 });
        const words = stdout.split(/\s+/u).filter(Boolean);
        expect(words.toSorted(), stderr).toEqual(whole);
      });
    });
  },
  ['sqlite'],
);

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
