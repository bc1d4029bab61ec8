import type { SessionStatus } from '../domain/session-log.ts';
import type { RecentSession } from '../ports/session-views.ts';
import { type Html, html } from './escape.ts';
import { counted } from './words.ts';

type Tone = 'good' | 'busy' | 'bad' | 'odd' | 'calm';

const tones: Readonly<Record<SessionStatus, Tone>> = {
  running: 'busy',
  completed: 'good',
  failed: 'bad',
  cancelled: 'calm',
  interrupted: 'odd',
  stalled: 'odd',
};

export function statusTag(status: SessionStatus): Html {
  return tag(tones[status] ?? 'calm', status);
}

/** How much of a session the bucket has. */
export function arrivalTag({ phase, revision, missing }: RecentSession): Html {
  const short = missing > 0 ? `${counted(missing, 'file')} missing` : undefined;
  switch (phase) {
    case 'shipped':
      return short === undefined ? tag('good', 'whole') : tag('odd', short);
    case 'shipping':
      return tag('busy', 'being sent');
    case 'parked':
      return tag('bad', 'needs you');
    case 'elsewhere':
      return tag('calm', 'by another host');
    case 'open':
      return revision > 0 ? tag('busy', 'so far') : tag('calm', 'not yet');
    default:
      return tag('calm', 'left alone');
  }
}

export function tag(tone: Tone, words: string): Html {
  return html`<span class="tag ${tone}">${words}</span>`;
}
