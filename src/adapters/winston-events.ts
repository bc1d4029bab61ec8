import { Writable } from 'node:stream';
import winston from 'winston';
import type { EventMap, EventName, Events } from '../ports/events.ts';
import { eventLines, type Level } from './event-lines.ts';

export interface LogOptions {
  readonly level: Level;
  readonly format: 'text' | 'json';
  readonly write: (line: string) => void;
}

/** A line longer than this is cut: a name or a server's answer must not flood a log. */
const lineMax = 4000;

/** Makes lines of events. It never throws: telling must not stop what is told about. */
export function createWinstonEvents(options: LogOptions): Events & { close(): void } {
  const { combine, timestamp, json, printf } = winston.format;
  const text = printf(
    (line) => `${String(line['timestamp'])} ${line.level.padEnd(5)} ${String(line.message)}`,
  );
  const logger = winston.createLogger({
    level: options.level,
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    format: combine(timestamp(), options.format === 'json' ? json() : text),
    transports: [new winston.transports.Stream({ stream: lineStream(options.write) })],
    exitOnError: false,
  });
  return {
    emit: (name, fields) => {
      try {
        const [level, message] = describe(name, fields);
        // As one object: given apart, a field that is called `message` would be appended to the line's.
        if (options.format === 'json') logger.log({ ...fields, event: name, level, message });
        else logger.log(level, message);
      } catch {
        // reason: a broken line must never break the work that it speaks of
      }
    },
    close: () => logger.close(),
  };
}

function describe<Name extends EventName>(name: Name, fields: EventMap[Name]): readonly [Level, string] {
  const [level, sentence] = eventLines[name];
  const message = sentence(fields).replace(/[\p{Cc}\u2028\u2029]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return [level, message.length > lineMax ? `${message.slice(0, lineMax)}…` : message];
}

function lineStream(write: (line: string) => void): Writable {
  return new Writable({
    decodeStrings: false,
    write: (line, _encoding, done) => {
      write(String(line));
      done();
    },
  });
}
