import { destination, type Logger, pino, stdTimeFunctions } from 'pino';
import type { Log, LogFields } from '../log.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** JSON lines on standard error, written without blocking and flushed at exit. */
export function pinoLog(level: LogLevel): Log {
  const options = { level, base: {}, timestamp: stdTimeFunctions.isoTime };
  return wrap(pino(options, destination({ fd: 2, sync: false })));
}

function wrap(logger: Logger): Log {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields: LogFields) => wrap(logger.child(fields)),
  };
}
