import type { Command } from 'commander';
import type { Cli } from './cli.ts';

/** Adds arguments, flags, help and action to the command of that name. */
export type Register = (command: Command, cli: Cli) => void;

export interface CommandEntry {
  readonly name: string;
  /** For the list of commands: what it does, in a few words. */
  readonly summary: string;
  readonly group: 'Declare' | 'Look' | 'Operate' | 'Set up';
  /** Imports the command's file, so that no command waits for another one's imports. */
  load(): Promise<Register>;
}

/** Every command, in the order of the help. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'apply',
    summary: 'make objects be as files declare them, and upload what sites serve',
    group: 'Declare',
    load: async () => (await import('./commands/apply.ts')).registerApply,
  },
  {
    name: 'diff',
    summary: 'show what apply or a commit would change',
    group: 'Declare',
    load: async () => (await import('./commands/diff.ts')).registerDiff,
  },
  {
    name: 'plan',
    summary: 'say what apply or dom would do, and write it down for apply --plan',
    group: 'Declare',
    load: async () => (await import('./commands/plan.ts')).registerPlan,
  },
  {
    name: 'create',
    summary: 'make a Secret of files or texts',
    group: 'Declare',
    load: async () => (await import('./commands/create.ts')).registerCreate,
  },
  {
    name: 'push',
    summary: 'publish a folder as the new release of a site',
    group: 'Declare',
    load: async () => (await import('./commands/push.ts')).registerPush,
  },
  {
    name: 'edit',
    summary: 'change an object in your editor',
    group: 'Declare',
    load: async () => (await import('./commands/edit.ts')).registerEdit,
  },
  {
    name: 'patch',
    summary: 'change some fields of an object',
    group: 'Declare',
    load: async () => (await import('./commands/patch.ts')).registerPatch,
  },
  {
    name: 'label',
    summary: 'set or remove labels',
    group: 'Declare',
    load: async () => (await import('./commands/label.ts')).registerLabel,
  },
  {
    name: 'annotate',
    summary: 'set or remove annotations',
    group: 'Declare',
    load: async () => (await import('./commands/label.ts')).registerAnnotate,
  },
  {
    name: 'delete',
    summary: 'delete objects and wait until they are gone',
    group: 'Declare',
    load: async () => (await import('./commands/delete.ts')).registerDelete,
  },
  {
    name: 'undelete',
    summary: 'bring back an object that was deleted, as it was',
    group: 'Declare',
    load: async () => (await import('./commands/undelete.ts')).registerUndelete,
  },
  {
    name: 'zone',
    summary: 'make zones of zone files and the other way round, and change their keys',
    group: 'Declare',
    load: async () => (await import('./commands/zone.ts')).registerZone,
  },
  {
    name: 'get',
    summary: 'list objects',
    group: 'Look',
    load: async () => (await import('./commands/get.ts')).registerGet,
  },
  {
    name: 'describe',
    summary: 'show all about objects, with their events',
    group: 'Look',
    load: async () => (await import('./commands/describe.ts')).registerDescribe,
  },
  {
    name: 'why',
    summary: 'follow what is not ready to where it comes from',
    group: 'Look',
    load: async () => (await import('./commands/why.ts')).registerWhy,
  },
  {
    name: 'history',
    summary: 'list who changed an object, when, and what',
    group: 'Look',
    load: async () => (await import('./commands/history.ts')).registerHistory,
  },
  {
    name: 'events',
    summary: 'list what happened',
    group: 'Look',
    load: async () => (await import('./commands/events.ts')).registerEvents,
  },
  {
    name: 'logs',
    summary: 'show what nodes noted of the requests for a site',
    group: 'Look',
    load: async () => (await import('./commands/logs.ts')).registerLogs,
  },
  {
    name: 'top',
    summary: 'show which sites and nodes answer how much',
    group: 'Look',
    load: async () => (await import('./commands/top.ts')).registerTop,
  },
  {
    name: 'wait',
    summary: 'wait until objects are as you want them',
    group: 'Look',
    load: async () => (await import('./commands/wait.ts')).registerWait,
  },
  {
    name: 'explain',
    summary: 'document the fields of a kind',
    group: 'Look',
    load: async () => (await import('./commands/explain.ts')).registerExplain,
  },
  {
    name: 'dns',
    summary: 'ask which node a client would be sent to, and why',
    group: 'Look',
    load: async () => (await import('./commands/dns.ts')).registerDns,
  },
  {
    name: 'rollout',
    summary: 'watch, list and undo the releases of a site',
    group: 'Operate',
    load: async () => (await import('./commands/rollout.ts')).registerRollout,
  },
  {
    name: 'reconcile',
    summary: 'have a Git repository looked at now',
    group: 'Operate',
    load: async () => (await import('./commands/reconcile.ts')).registerReconcile,
  },
  {
    name: 'cordon',
    summary: 'keep nodes out of new answers and placements',
    group: 'Operate',
    load: async () => (await import('./commands/cordon.ts')).registerCordon,
  },
  {
    name: 'drain',
    summary: 'take edges out of service so that nobody notices',
    group: 'Operate',
    load: async () => (await import('./commands/drain.ts')).registerDrain,
  },
  {
    name: 'uncordon',
    summary: 'take nodes into new answers and placements again',
    group: 'Operate',
    load: async () => (await import('./commands/cordon.ts')).registerUncordon,
  },
  {
    name: 'node',
    summary: 'let machines join',
    group: 'Operate',
    load: async () => (await import('./commands/node.ts')).registerNode,
  },
  {
    name: 'cert',
    summary: 'show, renew and revoke certificates',
    group: 'Operate',
    load: async () => (await import('./commands/cert.ts')).registerCert,
  },
  {
    name: 'issuer',
    summary: 'change the account key of an issuer',
    group: 'Operate',
    load: async () => (await import('./commands/issuer.ts')).registerIssuer,
  },
  {
    name: 'transfer-key',
    summary: 'make keys for secondaries of zones',
    group: 'Operate',
    load: async () => (await import('./commands/transfer-key.ts')).registerTransferKey,
  },
  {
    name: 'api-resources',
    summary: 'list the kinds of objects',
    group: 'Set up',
    load: async () => (await import('./commands/api-resources.ts')).registerApiResources,
  },
  {
    name: 'config',
    summary: 'choose and show the cluster that b8sctl talks to',
    group: 'Set up',
    load: async () => (await import('./commands/config.ts')).registerConfig,
  },
  {
    name: 'auth',
    summary: 'tell who you are to dom, and what you may do',
    group: 'Set up',
    load: async () => (await import('./commands/auth.ts')).registerAuth,
  },
  {
    name: 'user',
    summary: 'make configs for other people and programs',
    group: 'Set up',
    load: async () => (await import('./commands/user.ts')).registerUser,
  },
  {
    name: 'plugin',
    summary: 'list programs that add commands',
    group: 'Set up',
    load: async () => (await import('./commands/plugin.ts')).registerPlugin,
  },
  {
    name: 'completion',
    summary: 'print a script that completes commands, kinds and names in your shell',
    group: 'Set up',
    load: async () => (await import('./commands/completion.ts')).registerCompletion,
  },
  {
    name: 'version',
    summary: 'print the versions of b8sctl and dom',
    group: 'Set up',
    load: async () => (await import('./commands/version.ts')).registerVersion,
  },
];
