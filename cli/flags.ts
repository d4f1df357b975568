import { InvalidArgumentError, Option } from 'commander';
import { parseDurationMs } from '../api/duration.ts';
import { type DnsServer, parseDnsServer } from '../runtime/dns/client.ts';

/** Milliseconds, of flags such as `--timeout 90s`, `1h30m` or `0`. */
export function durationMsOf(text: string): number {
  const durationMs = text === '0' ? 0 : parseDurationMs(text);
  if (durationMs === undefined) throw new InvalidArgumentError('Write it like 30s, 5m or 1h30m.');
  return durationMs;
}

/** As `durationMsOf`; -1 and other negative ones: for ever. */
export function patienceMsOf(text: string): number {
  return text.startsWith('-') && (text === '-1' || parseDurationMs(text.slice(1)) !== undefined)
    ? Number.POSITIVE_INFINITY
    : durationMsOf(text);
}

/** A flag of a duration; its default, in milliseconds, is shown as one would write it. */
export function durationOption(
  text: string,
  defaultMs: number,
  { flag = '--timeout', parse = durationMsOf }: DurationFlag = {},
): Option {
  const shown = defaultMs % 60_000 === 0 ? `${defaultMs / 60_000}m` : `${defaultMs / 1000}s`;
  return new Option(`${flag} <duration>`, text).argParser(parse).default(defaultMs, shown);
}

interface DurationFlag {
  readonly flag?: string;
  readonly parse?: (text: string) => number;
}

/** Of flags that may be given several times. */
export function allOf(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Of `--to-revision 1234`. */
export function revisionOf(text: string): bigint {
  if (/^[1-9]\d{0,18}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError('A revision is a number: see b8sctl history.');
}

/** Of flags that are on, or off with `=false`: `--wait=false`. */
export function switchOf(text: string): boolean {
  if (text === 'true') return true;
  if (text === 'false') return false;
  throw new InvalidArgumentError('Write true or false.');
}

/** Of `-L app,tier`. */
export function listOf(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').filter(Boolean)];
}

/** A whole number from 1. */
export function countOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Write a whole number from 1.');
}

/** Objects a list is asked for at once; 0: as many as dom sends in one answer. */
export function chunkOf(text: string): number {
  if (/^(?:0|[1-9]\d{0,5})$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Write a number from 0 to 999999.');
}

/** Of `--resolver 192.0.2.1`, with a port where it is not 53. */
export function dnsServerOf(text: string): DnsServer {
  const server = parseDnsServer(text);
  if (server !== undefined) return server;
  throw new InvalidArgumentError('Write an IP address, or one with a port: 192.0.2.1:5300.');
}

/** Of flags that are ports. */
export function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port > 0 && port < 65_536) return port;
  throw new InvalidArgumentError('Write a port from 1 to 65535.');
}
