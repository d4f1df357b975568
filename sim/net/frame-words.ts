import {
  type ExplainQuestion,
  type ExplainReply,
  type Hello,
  type Plan,
  type Report,
  SessionRequest,
  SessionResponse,
} from '../../proto/gen/b8s/v1/agent.ts';
import type { PlanObject, Position } from '../../proto/gen/b8s/v1/plan.ts';
import type { LogFields } from '../../runtime/log.ts';

export interface FrameWords {
  /** "plan (3, 41): +site/default/blog, base (3, 39)" */
  readonly what: string;
  readonly fields: LogFields;
}

/** So many names in a line; the fields have all of them. */
const NAMES_MAX = 6;

/** What a frame of a session says, in a line. Never a private key: plans hold them (INV-33). */
export function frameWords(from: 'sub' | 'dom', bytes: Uint8Array): FrameWords {
  try {
    return from === 'sub' ? wordsOfRequest(bytes) : wordsOfResponse(bytes);
  } catch (error) {
    return { what: `${bytes.length} bytes that are no message`, fields: { error: String(error) } };
  }
}

function wordsOfRequest(bytes: Uint8Array): FrameWords {
  const { message } = SessionRequest.decode(bytes);
  switch (message?.$case) {
    case 'hello':
      return wordsOfHello(message.value);
    case 'report':
      return wordsOfReport(message.value);
    case 'heartbeat':
      return wordsOfHeartbeat(message.value);
    case 'explainReply':
      return wordsOfExplained(message.value);
    case 'logReply':
      return { what: `${message.value.lines.length} lines of a log`, fields: {} };
    case undefined:
      return { what: 'an empty message', fields: {} };
  }
}

function wordsOfResponse(bytes: Uint8Array): FrameWords {
  const { message } = SessionResponse.decode(bytes);
  switch (message?.$case) {
    case 'plan':
      return wordsOfPlan(message.value);
    case 'heartbeat':
      return wordsOfHeartbeat(message.value);
    case 'explainQuestion':
      return wordsOfQuestion(message.value);
    case 'logQuestion':
      return { what: 'asks for a log', fields: { site: message.value.siteUid } };
    case 'logStop':
      return { what: 'ends a log', fields: {} };
    case undefined:
      return { what: 'an empty message', fields: {} };
  }
}

/** "(3, 41)": epoch and revision. */
export function positionWords(position: Position | undefined): string {
  return position === undefined ? 'nothing' : `(${position.epoch}, ${position.revision})`;
}

function wordsOfHello({ node, agentVersion, held, heldDigest }: Hello): FrameWords {
  return {
    what: `hello of ${node}, held ${positionWords(held)}${heldDigest === '' ? ', wants all' : ''}`,
    fields: { node, agentVersion, held: positionWords(held), heldDigest },
  };
}

function wordsOfHeartbeat({ sequence }: { sequence: bigint }): FrameWords {
  return { what: 'heartbeat', fields: { sequence } };
}

function wordsOfPlan({ position, base, upserts, removals, digest }: Plan): FrameWords {
  const changes = [...upserts.map(({ key }) => `+${key}`), ...removals.map((key) => `-${key}`)];
  const from = base === undefined ? 'whole' : `base ${positionWords(base)}`;
  return {
    what: `plan ${positionWords(position)}: ${namesOf(changes) || 'no change'}, ${from}`,
    fields: {
      ...{ position: positionWords(position), base: positionWords(base) },
      ...{ objects: upserts.map(wordsOfObject), removals, digest },
    },
  };
}

/** What matters of each. Field by field, so that nothing secret gets in by itself. */
function wordsOfObject({ key, object }: PlanObject): string {
  switch (object?.$case) {
    case 'site': {
      const { hosts, serving, prepare } = object.value;
      return `${key}: ${hosts.join(' ')} serves ${serving || 'nothing'}, prepares ${prepare.join(' ') || 'nothing'}`;
    }
    case 'certificate':
      return `${key}: ${object.value.names.join(' ')} ${object.value.fingerprint}`;
    case 'zone': {
      const names = object.value.geoNames.map(
        ({ name, candidates }) => `${name} at ${candidates.join(' ') || 'nobody'}`,
      );
      return `${key}: serial ${object.value.serial}, ${names.join('; ') || 'no names that move'}`;
    }
    case 'node': {
      const { ready, unschedulable, roles } = object.value;
      const states = [ready ? 'ready' : 'NOT ready', ...(unschedulable ? ['unschedulable'] : [])];
      return `${key}: ${[...states, ...roles].join(', ')}`;
    }
    case 'geo':
      return `${key}: ${object.value.databases.map(({ digest }) => digest).join(' ') || 'nothing'}`;
    case 'dns':
      return `${key}: ${object.value.cookieSecrets.length} cookie secrets`;
    case 'challenge': {
      const proofs = [...object.value.http, ...object.value.alpn];
      return `${key}: proofs for ${proofs.map(({ host }) => host).join(' ') || 'nothing'}`;
    }
    case undefined:
      return `${key}: nothing`;
  }
}

function wordsOfReport(report: Report): FrameWords {
  const { applied, sites, zones, peers, conditions, geo } = report;
  const verified = sites.reduce((sum, site) => sum + site.verified.length, 0);
  const errors = [...sites, ...zones].flatMap(({ name, error }) =>
    error === '' ? [] : [`${name}: ${error}`],
  );
  const gone = peers.filter(({ reachable }) => !reachable).map(({ node }) => node);
  const said = [
    `applied ${positionWords(applied)}`,
    ...(sites.length > 0 ? [`${sites.length} sites, verified ${verified}`] : []),
    ...(zones.length > 0
      ? [`zones ${namesOf(zones.map(({ name, serial }) => `${name} ${serial}`))}`]
      : []),
    ...(gone.length > 0 ? [`out of reach: ${namesOf(gone)}`] : []),
    ...(errors.length > 0 ? [`errors: ${errors[0]}${more(errors.length - 1)}`] : []),
  ];
  return {
    what: `report: ${said.join(', ')}`,
    fields: { applied: positionWords(applied), sites, zones, peers, conditions, geo },
  };
}

function wordsOfQuestion(question: ExplainQuestion): FrameWords {
  const { name, type, clientIp } = question;
  const what = `asks how it would answer ${name} ${type} for ${clientIp}`;
  return { what, fields: { ...question } };
}

function wordsOfExplained({ id, error, explanation }: ExplainReply): FrameWords {
  const answers = explanation?.answers.join(' ') ?? '';
  return {
    what: `explains: ${error || answers || 'no answer'}`,
    fields: { id, error, answers, rcode: explanation?.rcode },
  };
}

function namesOf(names: readonly string[]): string {
  return `${names.slice(0, NAMES_MAX).join(' ')}${more(names.length - NAMES_MAX)}`;
}

function more(count: number): string {
  return count > 0 ? ` and ${count} more` : '';
}
