import { createWinstonEvents } from '../adapters/winston-events.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { Events } from '../ports/events.ts';
import type { Edge } from './edge.ts';
import type { Progress } from './progress.ts';

/** For a command that a person runs and reads: text, unless the configuration wants another form. */
export function createAnswerLines({ stderr }: Edge, { log }: Config): Events & { close(): void } {
  const { level, format } = log;
  return createWinstonEvents({ level, format: format === 'auto' ? 'text' : format, write: stderr });
}

/** Lines of what happens on stderr, as the configuration wants them; beside a progress line only what disturbs a run. */
export function createLogLines(
  edge: Edge,
  { config, sources }: LoadedConfig,
  progress: Progress | undefined,
): Events & { close(): void } {
  const { format } = config.log;
  const automatic = edge.stderrIsTerminal ? 'text' : 'json';
  const isShown = edge.stderrIsTerminal && progress !== undefined;
  const level = isShown && sources['log.level'].layer === 'default' ? 'warn' : config.log.level;
  const write = progress ? (text: string) => progress.say(text) : edge.stderr;
  return createWinstonEvents({ level, format: format === 'auto' ? automatic : format, write });
}
