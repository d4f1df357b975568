import { beforeEach, expect, test } from 'vitest';
import type { Fetched } from '../../runtime/fetcher.ts';
import { type TestCli, testCli } from '../testing/test-cli.ts';

const URL = 'https://example.com/site.yaml';
const SITE =
  'apiVersion: b8s.dev/v1\nkind: Site\nmetadata: { name: blog }\nspec: { hosts: [blog.example.com] }\n';

let cli: TestCli;
let asked: string[];
beforeEach(() => {
  cli = testCli();
  asked = [];
});

/** Who answers by URL; what is not there does not answer at all. */
function serve(answers: Readonly<Record<string, Fetched>>): void {
  cli.web = {
    async get(url, { signal }) {
      asked.push(url);
      const answer = answers[url];
      if (answer !== undefined) return answer;
      return await new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    },
  };
}

function answer(
  body: string | AsyncIterable<Uint8Array>,
  more: { readonly status?: number; readonly location?: string } = {},
): Fetched {
  const { status = 200, location } = more;
  return {
    status,
    header: (name) => (name === 'location' ? location : undefined),
    chunks: typeof body === 'string' ? bytes(body) : body,
  };
}

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield Buffer.alloc(64 * 1024, '#');
}

function redirect(location: string): Fetched {
  return answer('', { status: 302, location });
}

test('apply -f URL applies what is there, also where it was moved to', async () => {
  serve({
    [URL]: redirect('/moved.yaml'),
    'https://example.com/moved.yaml': redirect('https://other.example/x'),
    'https://other.example/x': answer(SITE),
  });
  expect(await cli.b8sctl(`apply -f ${URL}`)).toEqual({
    ...{ out: 'site.b8s.dev/blog created\n', error: '', code: 0 },
  });
  expect(asked).toHaveLength(3);
});

test('what is wrong in it is said with its URL and line', async () => {
  serve({ [URL]: answer(SITE.replace('hosts', 'hostz')) });
  const { error, code } = await cli.b8sctl(`apply -f ${URL}`);
  expect(error).toContain('did you mean "hosts"');
  expect(error).toContain(`(${URL}:4)`);
  expect(code).toBe(1);
});

test.each<{ when: string; url?: string; answers: Record<string, Fetched>; why: string }>([
  {
    when: 'it is not there',
    answers: { [URL]: answer('', { status: 404 }) },
    why: 'the server answered 404',
  },
  {
    when: 'a redirect leads out of https',
    answers: { [URL]: redirect('http://example.com/site.yaml') },
    why: 'http://example.com/site.yaml is not https: whoever is in between could change what is applied',
  },
  {
    when: 'a redirect leads to a file',
    answers: { [URL]: redirect('file:///etc/passwd') },
    why: 'file:///etc/passwd is not https: whoever is in between could change what is applied',
  },
  {
    when: 'it redirects to itself',
    answers: { [URL]: redirect(URL) },
    why: 'it redirects more than 5 times',
  },
  {
    when: 'it does not end',
    answers: { [URL]: answer(endless()) },
    why: 'it is over 4.0MiB: no manifest',
  },
  {
    when: 'it is no text',
    answers: { [URL]: answer(latin1()) },
    why: 'it is not UTF-8 text: no manifest',
  },
  {
    when: 'it is asked for in the clear',
    url: 'http://example.com/site.yaml',
    answers: {},
    why: 'http://example.com/site.yaml is not https: whoever is in between could change what is applied',
  },
  {
    when: 'it names a password',
    url: 'https://me:secret@example.com/site.yaml',
    answers: {},
    why: 'a password in a URL ends up in logs: leave it out',
  },
])('apply -f URL when $when', async ({ url = URL, answers, why }) => {
  serve(answers);
  const { out, error, code } = await cli.b8sctl(['apply', '-f', url]);
  expect({ out, code }).toEqual({ out: '', code: 1 });
  expect(error).toContain(why);
  expect(cli.api.objects()).toEqual([]);
});

async function* latin1(): AsyncGenerator<Uint8Array> {
  yield Buffer.from([0x61, 0xff, 0x62]);
}

test('http from this machine is taken: nobody is in between', async () => {
  serve({ 'http://127.0.0.1:8000/site.yaml': answer(SITE) });
  expect((await cli.b8sctl('apply -f http://127.0.0.1:8000/site.yaml')).code).toBe(0);
});

test('a server that does not answer is given up after --request-timeout', async () => {
  serve({});
  const applying = cli.start(`apply -f ${URL} --request-timeout 5s`);
  await cli.clock.advance(6_000);
  const { error, code } = await applying.done;
  expect({ error, code }).toEqual({
    ...{ error: `error: read ${URL}: no whole answer within 5 s\n`, code: 1 },
  });
});

test('Ctrl-C ends the wait for it', async () => {
  serve({});
  const applying = cli.start(`apply -f ${URL}`);
  await cli.clock.advance(1_000);
  applying.interrupt();
  expect((await applying.done).code).toBe(130);
});

test('a manifest from the web publishes nothing of this machine', async () => {
  cli.files.set('public/index.html', 'secret');
  serve({
    [URL]: answer(`${SITE.slice(0, SITE.lastIndexOf(' }'))}, content: { path: ./public } }\n`),
  });
  const { error, code } = await cli.b8sctl(`apply -f ${URL}`);
  expect(error).toContain('download both, or publish with b8sctl push');
  expect({ code, blobs: cli.api.blobs.size }).toEqual({ code: 1, blobs: 0 });
});
