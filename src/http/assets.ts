import { createHash } from 'node:crypto';
import type { Answer } from './answer.ts';
import { script } from './script.ts';
import { style } from './style.ts';

interface Asset {
  readonly path: string;
  readonly answer: Answer;
}

/** Named by their content, so that a browser may keep them for ever. */
export const plainAssets = {
  style: asset('css', style, 'css'),
  script: asset('script', script, 'js'),
} as const;

function asset(type: 'css' | 'script', body: string, ending: string): Asset {
  const name = createHash('sha256').update(body).digest('hex').slice(0, 16);
  return { path: `/assets/${name}.${ending}`, answer: { status: 200, type, body, isLasting: true } };
}
