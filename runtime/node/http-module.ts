import type * as Http from 'node:http';

/**
 * Node's `node:http`. An `import` of it would read everything that it offers, and with that load
 * Node's fetch and WebSocket: 3 MB for each process and thread that has no use for them.
 */
export const http: typeof Http = process.getBuiltinModule('node:http');
