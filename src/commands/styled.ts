import type { Edge } from './edge.ts';

/** A line and what it is. Colours say nothing that the words do not. */
export interface Line {
  readonly text: string;
  readonly tone: Tone;
}

export type Tone = 'plain' | 'title' | 'ok' | 'warning' | 'critical' | 'faint';

const codes: Readonly<Record<Tone, string>> = {
  plain: '',
  title: '1',
  ok: '32',
  warning: '33',
  critical: '1;31',
  faint: '2',
};

export function plain(text: string): Line {
  return { text, tone: 'plain' };
}

export function toned(tone: Tone, ...texts: string[]): Line[] {
  return texts.map((text) => ({ text, tone }));
}

export type Paint = (line: Line) => string;

export const unpainted: Paint = ({ text }) => text;

export const painted: Paint = ({ text, tone }) =>
  codes[tone] === '' || text === '' ? text : `\u001b[${codes[tone]}m${text}\u001b[0m`;

/** Colours are for people who look at a terminal and do not mind them (https://no-color.org). */
export function paintFor({ terminal, env }: Pick<Edge, 'terminal' | 'env'>): Paint {
  const isUnwanted = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return terminal && !isUnwanted ? painted : unpainted;
}
