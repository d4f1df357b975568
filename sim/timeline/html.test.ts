import { expect, test } from 'vitest';
import { LINE_KINDS, Trace } from '../engine/trace.ts';
import { renderHtml } from './html.ts';
import { exampleLines } from './lines.fixture.ts';
import { pageParts } from './page.fixture.ts';
import { type PageData, type PageStory, unpackLines } from './page-data.ts';

const story: PageStory = {
  title: 'seed 7',
  failure: 'INV-28: <b>london</b> & tokyo',
  replay: 'make sim SEED=7',
  facts: [['doms', '2']],
  faults: [['loss', '0.02']],
};
const parts = pageParts();

test('the page needs nothing but itself', () => {
  const html = renderHtml({ story, lines: exampleLines() }, parts);
  const markup = html.replaceAll(/<script[\s\S]*?<\/script>|<style>[\s\S]*?<\/style>/g, '');
  expect(markup).not.toMatch(/src=|href=|url\(|@import|https?:/);
  expect(parts.style).not.toMatch(/url\(|@import|https?:/);
  expect(parts.script).not.toMatch(/\bimport\s*\(|https?:|\bfetch\(|XMLHttpRequest|WebSocket/);
  expect(html).toContain(`default-src 'none'`);
  expect(html.match(/<script/g)).toHaveLength(2);
  expect(html.match(/<\/script>/g)).toHaveLength(2);
});

test('all lines are in it', () => {
  const lines = exampleLines();
  const data = dataIn(renderHtml({ story, lines }, parts));
  expect(data.story).toEqual(story);
  expect(data.kinds).toEqual(LINE_KINDS);
  expect(unpackLines(data)).toEqual(lines);
});

test('whatever a line holds, it stays data', () => {
  const nasty = '</script><script>alert(1)</script><!-- \u2028 \u2029 & "quoted" \\';
  const trace = new Trace(() => 0, { keep: 'lines' });
  trace.add(nasty, nasty, { fields: { [nasty]: nasty } });
  const html = renderHtml({ story: { ...story, failure: nasty }, lines: trace.lines() }, parts);
  expect(html.match(/<\/script>/g)).toHaveLength(2);
  expect(jsonIn(html)).not.toMatch(/<|\u2028|\u2029/);
  expect(unpackLines(dataIn(html))).toEqual(trace.lines());
});

test('the title tells how it ended', () => {
  const run = { story, lines: [] };
  expect(renderHtml(run, parts)).toContain(
    '<title>seed 7: INV-28: &lt;b&gt;london&lt;/b&gt; &amp; tokyo</title>',
  );
  const held = { ...run, story: { ...story, failure: undefined } };
  expect(renderHtml(held, parts)).toContain('<title>seed 7 holds</title>');
});

test('lanes: people, doms, the store, nodes as they came, and what befalls all', () => {
  const trace = new Trace(() => 0, { keep: 'lines' });
  for (const host of ['world', 'dom-2', 'dom-1', 'tokyo', 'store', 'network', 'london', 'user-1'])
    trace.add(host, 'x');
  expect(dataIn(renderHtml({ story, lines: trace.lines() }, parts)).hosts).toEqual([
    ...['user-1', 'dom-1', 'dom-2', 'store', 'tokyo', 'london', 'network', 'world'],
  ]);
});

function dataIn(html: string): PageData {
  return JSON.parse(jsonIn(html)) as PageData;
}

function jsonIn(html: string): string {
  return /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)?.[1] ?? '';
}
