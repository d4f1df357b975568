import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { commands } from '../commands.ts';
import { globalOptions, sentenceOf } from '../program.ts';

const INTRO = `<!-- Generated from cli/ by \`make gen\`; do not edit. -->
# b8sctl

Generated from the commands by \`make gen\`. \`b8sctl COMMAND --help\` says the same, and
\`b8sctl explain KIND\` documents the objects. People who come from kubectl find their commands in the
[last section](#coming-from-kubectl).

Data goes to stdout, all else to stderr. Exit codes: 0 done, 1 an error or "no", 2 an error of
\`diff\` (there 1 says: it differs), 130 after Ctrl-C.

`;

const KUBECTL = `## Coming from kubectl

| kubectl | b8sctl | what differs |
|---|---|---|
| \`apply -f\`, \`diff -f\`, \`delete -f\` | the same | always server-side apply: fields have owners, \`--force-conflicts\` takes them over |
| \`get -o wide\\|yaml\\|json\\|name\\|jsonpath=\\|custom-columns=\` | the same | filters take \`&&\` and \`\\|\\|\`; no \`go-template\` |
| \`get --field-selector\` | the same | any field, not just a few; a field that there is not is an error |
| \`get -w\`, \`--watch-only\`, \`--sort-by\`, \`-L\`, \`--show-labels\`, \`--no-headers\` | the same | |
| – | \`get --at 2h\`, \`history\`, \`diff --from\`, \`undelete\` | every change of a spec is kept |
| \`delete --cascade=background\\|foreground --force\` | the same | no \`orphan\` of what is owned, no grace periods: nothing here ends slowly |
| \`describe\`, then guess | \`why TYPE/NAME\` | follows what is not ready to its cause |
| \`get -f\`, \`wait -f\`, \`wait --for=\` | the same | several goals at once; objects that do not exist yet are waited for |
| \`edit\`, \`patch --type merge\\|json\`, \`label\`, \`annotate\` | the same | no \`--type strategic\`: lists are replaced, or edited with \`json\` |
| \`explain --recursive\`, \`api-resources\` | the same | |
| \`events --for --types -w\` | the same | |
| \`rollout status\\|history\\|undo\\|pause\\|resume\` | the same, of sites | \`undo\` serves content that was served before; \`restart\` has no use |
| \`cordon\`, \`uncordon\`, \`drain\` | the same | DNS stops naming the node before it stops serving |
| \`auth whoami\\|can-i\`, \`can-i --list\` | the same | roles are \`admin\` and \`viewer\`, of the whole cluster |
| \`config get-contexts\\|use-context\\|current-context\\|view\` | the same | \`$B8SCONFIG\` in place of \`$KUBECONFIG\`, several files parted by colons |
| \`create secret generic\\|tls\` | the same | values are sealed and never shown again |
| \`completion bash\\|zsh\\|fish\`, \`plugin list\`, \`-v=6\`, \`-v=8\` | the same | plugins are called \`b8sctl-NAME\` |
| certificates for users, by hand | \`user create\\|list\\|revoke\` | revoked at once, by name |
| \`logs\`, \`top\` | see the commands above | of sites and nodes |
| \`create deployment\`, \`expose\`, \`scale\`, \`exec\`, \`port-forward\`, \`cp\` | – | sites are folders of files: there are no pods |
`;

/** docs/b8sctl.md: every command with its arguments, flags and examples. */
export async function renderCommandReference(): Promise<string> {
  const parts = [`${INTRO}## Flags of every command\n\n${helpOf(globalOptions())}`];
  for (const group of ['Declare', 'Look', 'Operate', 'Set up'] as const) {
    parts.push(`## ${group}\n\n`);
    for (const { name, summary, load } of commands.filter((each) => each.group === group)) {
      const command = new Command('b8sctl').command(name).description(sentenceOf(summary));
      // Nothing runs: only what a command says of itself is read.
      (await load())(command, {} as Cli);
      parts.push(...sections(command));
    }
  }
  return `${parts.join('')}${KUBECTL}`;
}

function sections(command: Command): readonly string[] {
  const head = `### ${pathOf(command)}\n\n${command.description()}\n\n`;
  return [head + helpOf(command), ...command.commands.flatMap(sections)];
}

/** The help as b8sctl prints it, without the description. */
function helpOf(command: Command): string {
  let text = '';
  command.configureHelp({ helpWidth: 100, showGlobalOptions: false });
  command.configureOutput({ writeOut: (part) => void (text += part) });
  const description = command.description();
  command.description('').helpOption('-h, --help', 'show help').outputHelp();
  command.description(description);
  return `\`\`\`\n${text.trim().replaceAll(/ +$/gm, '')}\n\`\`\`\n\n`;
}

function pathOf(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${pathOf(parent)} ${command.name()}` : command.name();
}
