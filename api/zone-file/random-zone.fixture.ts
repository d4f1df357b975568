import { validateObject } from '../validate.ts';
import type { ZoneRecord, ZoneSpec } from '../zone.ts';

export type Draw = (below: number) => number;

/** Numbers from a seed (an LCG of Numerical Recipes): each failure can be seen again. */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

export function pick<Item>(draw: Draw, items: readonly [Item, ...Item[]]): Item {
  return items[draw(items.length)] ?? items[0];
}

function hex(draw: Draw, bytes: number): string {
  return Array.from({ length: bytes }, () => draw(256).toString(16).padStart(2, '0')).join('');
}

function label(draw: Draw): string {
  const odd = ['\\032', '\\.', '\\;', '\\"', '\\000', '\\255', '\\064', '\\(', '\\$'] as const;
  const plain = () => pick(draw, ['a', 'b', 'z', '0', '9', 'x-y', '_u', 'q/r']);
  const parts = Array.from({ length: 1 + draw(4) }, () =>
    draw(8) === 0 ? pick(draw, odd) : plain(),
  );
  return parts.join('');
}

function name(draw: Draw): string {
  const labels = Array.from({ length: 1 + draw(3) }, () => label(draw)).join('.');
  return pick(draw, [labels, `${label(draw)}`, `${labels}.example.net.`, '@']).replace(
    /^(.*[^.].*\..*[^.])$/,
    '$1.',
  );
}

function text(draw: Draw): string {
  const characters = [
    'a',
    ' ',
    ';',
    '(',
    ')',
    '\\"',
    '\\\\',
    '\\200',
    '\\009',
    '@',
    '$',
    '=',
    'ü',
  ] as const;
  const string = () => Array.from({ length: draw(20) }, () => pick(draw, characters)).join('');
  return Array.from({ length: 1 + draw(3) }, () => `"${string()}"`).join(' ');
}

const VALUES: Readonly<Record<string, (draw: Draw) => string>> = {
  A: (draw) => `192.0.2.${1 + draw(250)}`,
  AAAA: (draw) => `2001:db8::${(1 + draw(65_000)).toString(16)}`,
  CAA: (draw) => `${draw(256)} issue ${text(draw).split('" "')[0]?.replace(/"?$/, '"')}`,
  DS: (draw) => `${draw(65_536)} 13 2 ${hex(draw, 32)}`,
  HTTPS: (draw) =>
    pick(draw, [
      `0 ${name(draw)}`,
      `${1 + draw(9)} . alpn=h2,h3 port=${draw(65_536)} key700=a\\200b`,
    ]),
  MX: (draw) => `${draw(65_536)} ${name(draw)}`,
  NAPTR: (draw) => `${draw(9)} ${draw(9)} "S" "SIP+D2U" "" ${name(draw)}`,
  NS: name,
  PTR: name,
  SRV: (draw) => `${draw(9)} ${draw(9)} ${draw(65_536)} ${name(draw)}`,
  SSHFP: (draw) => `4 2 ${hex(draw, 32)}`,
  SVCB: (draw) => `1 ${name(draw)} ipv4hint=192.0.2.1 mandatory=ipv4hint`,
  TLSA: (draw) => `3 1 1 ${hex(draw, 32)}`,
  TXT: (draw) => pick(draw, [text(draw), 'v=spf1 -all', 'x'.repeat(255), 'a;b(c)']),
  TYPE65280: (draw) => `\\# 4 ${hex(draw, 4)}`,
};

/** A Zone of example.com that `apply` takes: what it refuses of what was drawn is left out. */
export function randomZone(seed: number): ZoneSpec {
  const draw = drawFrom(seed);
  const types = Object.keys(VALUES);
  const records: ZoneRecord[] = Array.from({ length: 30 }, () => {
    const type = types[draw(types.length)] ?? 'A';
    const values = Array.from({ length: 1 + draw(3) }, () => VALUES[type]?.(draw) ?? '');
    const owner = draw(10) === 0 ? '*' : name(draw).replace(/example\.net\.$/, 'x.example.com.');
    return {
      name: owner,
      type,
      ...(draw(2) === 0 && { ttl: 1 + draw(86_400) }),
      values: [...new Set(values)],
    };
  });
  records.push(
    { name: 'ns2', type: 'A', values: ['192.0.2.53'] },
    { name: 'only-alias', type: 'ALIAS', values: ['a.example.net.'] },
    { name: 'only-cname', type: 'CNAME', values: ['@'] },
  );
  const object = (kept: readonly ZoneRecord[]) => ({
    apiVersion: 'b8s.dev/v1',
    kind: 'Zone',
    metadata: { name: 'z' },
    spec: {
      origin: 'example.com',
      ttl: 1 + draw(86_400),
      records: kept,
      nameservers: ['ns1.example.net', 'ns2.example.com'],
    },
  });
  for (let kept: readonly ZoneRecord[] = records; ; ) {
    const outcome = validateObject(object(kept));
    if (outcome.kind === 'valid') return outcome.object.spec as ZoneSpec;
    const wrong = new Set(
      outcome.violations.map(({ path }) => Number(/\[(\d+)\]/.exec(path)?.[1])),
    );
    if (wrong.has(Number.NaN)) throw new Error(JSON.stringify(outcome.violations));
    kept = kept.filter((_, index) => !wrong.has(index));
  }
}
