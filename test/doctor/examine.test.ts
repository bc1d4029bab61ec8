import { expect, test } from 'vitest';
import { examinationText } from '../../src/commands/doctor-text.ts';
import { rooms } from '../../src/doctor/codes.ts';
import { examine } from '../../src/doctor/examine.ts';
import { found } from '../../src/doctor/finding.ts';
import { checks } from '../../src/doctor/registry.ts';
import { hider } from '../../src/doctor/secrets.ts';
import type { Check } from '../../src/doctor/visit.ts';
import { visitOf } from './visit.ts';

const asIs = async () => (text: string) => text;

async function examineWith(own: Partial<Record<(typeof rooms)[number], Check>>, hide = asIs) {
  const { visit } = await visitOf({ more: () => ({}) });
  const quick = { ...visit, limits: { ...visit.limits, allMs: 1_000 } };
  return examine(quick, { ...checks, ...own }, hide);
}

test('every room has a check, and each is entered', async () => {
  const examination = await examineWith({});
  expect(examination.rooms.map(({ room }) => room)).toEqual([...rooms]);
  expect(examination.level).toBe('ok');
});

test('a check that fails and one that never ends are findings of their own and hide no other', async () => {
  const broken: Check = async () => {
    throw new Error('no such thing');
  };
  const endless: Check = () => new Promise(() => undefined);
  const { rooms: examined } = await examineWith({ folder: broken, disk: endless });
  const codes = Object.fromEntries(
    examined.map(({ room, findings }) => [room, findings.map(({ code }) => code)]),
  );
  expect(codes).toMatchObject({ folder: ['check.failed'], disk: ['check.late'], state: ['state.absent'] });
});

test('a check whose time is over is told to stop', async () => {
  let heard: AbortSignal | undefined;
  const listening: Check = (_, signal) => {
    heard = signal;
    return new Promise(() => undefined);
  };
  await examineWith({ disk: listening });
  expect(heard?.aborted).toBe(true);
});

test('no secret of the environment and no user of an address leaves, whatever a check says', async () => {
  const secret = 'hunter2-hunter2-hunter2';
  const telling: Check = async () => [
    found('critical', 'disk.unknown', `it has ${secret}`, {
      evidence: `https://kim:${secret}@host/ and https://kim@host/`,
      remedy: `use ${secret}`,
    }),
  ];
  const hide = hider({ SOME_API_KEY: `"${secret}" `, HTTPS_PROXY: 'http://a:b@c' }, []);
  const examination = await examineWith({ disk: telling }, async () => hide);
  const text = JSON.stringify(examination) + examinationText(examination);
  expect(text).not.toContain('hunter2');
  expect(text).not.toContain('kim');
  expect(text).toContain('https://[redacted]@host/');
});

test('what has one remedy is told together, with the remedy once', async () => {
  const remedy = 'write it without quotes';
  const odd: Check = async () => [
    found('warning', 'config.warning', 'quotes in A', { remedy }),
    found('warning', 'config.warning', 'quotes in B', { remedy }),
    found('warning', 'config.warning', 'quotes in C', { remedy: 'another' }),
  ];
  const text = examinationText(await examineWith({ configuration: odd }));
  expect(text).toContain(
    'warning   configuration: quotes in A\n          configuration: quotes in B\n  to do   write it without quotes\n',
  );
  expect(text.split('write it')).toHaveLength(2);
  expect(text).toMatch(/^host: nothing is wrong, as far as was looked; 3 warnings\n/);
});

test('is at most 80 columns wide, begins with a verdict, tells the worst first, and then what is well', async () => {
  const words = 'a long sentence with many words '.repeat(8).trim();
  const wrong: Check = async () => [
    found('warning', 'disk.inodes', 'an escape \u001b[31m is shown as it is written'),
    found('critical', 'agent.blocked', words),
    found('critical', 'disk.free', words, {
      evidence: words,
      remedy: words,
      statement: { Action: 's3:PutObject' },
    }),
    found('ok', 'disk.ok', words),
  ];
  const text = examinationText(await examineWith({ disk: wrong }));
  const lines = text.split('\n');
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
  expect(lines[0]).toBe('host: 2 things are wrong; 1 warning');
  const marks = ['  code    disk.free', '  code    agent.blocked', '  code    disk.inodes', 'ok', '  disk  '];
  const places = marks.map((mark) => lines.findIndex((line) => line.startsWith(mark)));
  expect(places).toEqual(places.toSorted((one, other) => one - other));
  expect(places).not.toContain(-1);
  expect(text).toContain('            "Action": "s3:PutObject"');
  expect(text).toContain('\\u001b[31m');
  expect(text).not.toContain('\u001b');
});
