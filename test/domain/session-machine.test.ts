import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Seal } from '../../src/domain/end-rule.ts';
import {
  advance,
  openSession,
  type SessionEvent,
  type SessionState,
} from '../../src/domain/session-machine.ts';

const evidence: Seal = { status: 'completed', by: 'result.json', evidence: true };
const lastCall: Seal = { status: 'interrupted', by: 'the pod is going', evidence: false, mayGoOn: true };
const silence: Seal = { status: 'stalled', by: 'silence', evidence: false };

/** The header's table, written out: by evidence, or at the last call of a host that goes | by silence, `-` for what is of no account. */
const table = `
  state       ended    changed            doubted  settled     enqueued  shipped
  open        sealing  -                  -        -           -         -
  sealing     -        - | open           -        assembling  -         -
  assembling  -        sealing | open     -        -           shipping  -
  shipping    -        sealing | open     -        -           -         shipped
  shipped     -        sealing | open     sealing  -           -         -
`;

const [header = [], ...rows] = table
  .trim()
  .split('\n')
  .map((line) => line.trim().split(/\s{2,}/));
const cases = rows.flatMap((row) =>
  row.slice(1).flatMap((cell, at) => {
    const [byEvidence = '', bySilence = byEvidence] = cell.split(' | ');
    const [from = '', event = ''] = [row[0], header[at + 1]];
    return [
      { from, event, to: byEvidence, seal: evidence },
      { from, event, to: byEvidence, seal: lastCall },
      { from, event, to: bySilence, seal: silence },
    ];
  }),
);

function stateAt(at: string, seal: Seal, sinceMs = 10): SessionState {
  if (at === 'open') return openSession;
  if (at === 'sealing') return { at, seal, sinceMs };
  if (at === 'assembling' || at === 'shipping' || at === 'shipped') return { at, seal };
  throw new Error(`no state ${at}`);
}

function eventOf(type: string, seal: Seal): SessionEvent {
  if (type === 'changed' || type === 'doubted') return { type, nowMs: 99 };
  if (type === 'ended') return { type, seal, nowMs: 99 };
  if (type === 'settled' || type === 'enqueued' || type === 'shipped') return { type };
  throw new Error(`no event ${type}`);
}

describe('a session', () => {
  test('has a table of every state and event', () => {
    expect(cases).toHaveLength(5 * 6 * 3);
  });

  test.each(cases)('$from, on $event: $to ($seal.by)', ({ from, event, to, seal }) => {
    const before = stateAt(from, seal);
    const after = advance(before, eventOf(event, seal));
    if (to === '-') expect(after).toBe(before);
    else expect(after).toEqual(stateAt(to, seal, 99));
  });

  test('that is sealed by evidence keeps its seal, whatever comes; one by silence is open again after a change', () => {
    const type = fc.constantFrom('changed', 'settled', 'enqueued', 'shipped', 'ended');
    fc.assert(
      fc.property(fc.array(type, { maxLength: 20 }), fc.boolean(), (types, isEvident) => {
        let state: SessionState = stateAt('sealing', isEvident ? evidence : silence);
        for (const next of types) {
          state = advance(state, eventOf(next, silence));
          if (isEvident) expect(state).toHaveProperty('seal', evidence);
          else if (next === 'changed') expect(state).toBe(openSession);
        }
      }),
    );
  });

  test('waits for stragglers from its first seal on, not from each change', () => {
    const sealing = stateAt('sealing', evidence, 10);
    expect(advance(sealing, { type: 'changed', nowMs: 5_000 })).toEqual(sealing);
  });
});
