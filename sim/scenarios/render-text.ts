const WIDTH = 100;

/**
 * Plain data as text for people and for `diff`: what fits into a line stands in one, everything else
 * has a line for each of its parts.
 */
export function renderText(data: unknown): string {
  return `${render(data, 0).trim()}\n`;
}

/** Begins with a space where it stands behind its name, or with a line break. */
function render(data: unknown, depth: number, used = 0): string {
  const short = oneLine(data);
  if (depth > 1 && used + short.length < WIDTH) return ` ${short}`;
  if (typeof data !== 'object' || data === null) return ` ${short}`;
  const indent = '  '.repeat(depth);
  const line = (name: string, value: unknown): string => {
    const head = `${indent}${name}`;
    return `\n${head}${render(value, depth + 1, head.length)}`;
  };
  if (Array.isArray(data)) return data.map((item) => line('-', item)).join('');
  return Object.entries(data)
    .map(([name, value]) => line(`${name}:`, value))
    .join('');
}

function oneLine(data: unknown): string {
  if (Array.isArray(data)) return `[${data.map(oneLine).join(', ')}]`;
  if (typeof data !== 'object' || data === null) return String(data);
  const fields = Object.entries(data).map(([name, value]) => `${name}: ${oneLine(value)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}
