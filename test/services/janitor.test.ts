import { expect, test } from 'vitest';
import type { FileSource } from '../../src/ports/file-source.ts';
import { janitorOf } from '../support/janitor.ts';
import { folder, settleMs, type TestAgent, World } from '../support/services.ts';

const completed = '{"status":"completed"}';
const keyOf = (path: string) => `training-logs/companions/2026/01/a/${path}`;
const claimsOf = async (world: World) => (await world.folder.claims()).map(({ claim }) => claim);

/** A session with `files`, looked at until its files are queued. */
async function queued(files: readonly string[] = ['out.log']): Promise<{ world: World; agent: TestAgent }> {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a"}');
  for (const path of files) world.folder.write(`a/${path}`, `of ${path}`);
  world.folder.write('a/result.json', completed);
  const agent = world.start();
  await agent.lookTwice();
  return { world, agent };
}

test('claims of files that are to be sent are needed in the next life, those of parked ones too', async () => {
  const { world, agent } = await queued(['out.log', 'parked.bin']);
  const [sid = 0] = agent.journal.dueSessions(folder, 0, 1);
  const parked = agent.journal.files(sid).find(({ path }) => path === 'parked.bin');
  agent.journal.recordParked(sid, 'parked.bin', {
    fingerprint: parked?.fingerprint ?? '',
    uncertain: false,
    reason: 'parked',
    code: 'AccessDenied',
    cause: 'denied',
    remedy: 'allow it',
  });
  world.folder.remove('a');
  const next = world.start();
  await janitorOf(world, next).prepare();
  expect(await claimsOf(world)).toHaveLength(2);
  await next.ship();
  expect(world.store.text(keyOf('out.log'))).toBe('of out.log');
  expect(world.events.of('claims.kept')).toEqual([]);
});

test.each([false, true])(
  'a claim whose file is in the bucket goes, deleted by its owner: %s; that is no change',
  async (isDeleted) => {
    const world = new World();
    const killed = new Error('killed');
    const source = (real: FileSource): FileSource =>
      new Proxy(real, {
        get: (of, name) => {
          if (name === 'releaseClaim') throw killed;
          const method: unknown = Reflect.get(of, name, of);
          return typeof method === 'function' ? method.bind(of) : method;
        },
      });
    world.folder.write('a/session.json', '{"id":"a"}');
    world.folder.write('a/out.log', 'hello');
    world.folder.write('a/result.json', completed);
    await expect(world.start({ source }).deliver()).rejects.toThrow(killed);
    expect(await claimsOf(world)).toHaveLength(1);
    if (isDeleted) world.folder.remove('a/out.log');
    const next = world.start();
    await janitorOf(world, next).prepare();
    expect(await claimsOf(world)).toEqual([]);
    expect(world.events.of('claims.kept')).toEqual([]);
    await next.ship();
    await next.deliver();
    expect(world.log()).toMatchObject({ companions: [{ path: 'out.log' }], missing: [] });
    // Letting go moved ctime, and the journal knows: nothing was read again.
    expect(world.events.of('file.unchanged')).toEqual([]);
  },
);

test('a claim that the journal had not yet heard of is made again where the file is still there', async () => {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'hello');
  world.folder.write('a/result.json', completed);
  await world.folder.claim('a/out.log', '1-lost');
  const agent = world.start();
  await janitorOf(world, agent).prepare();
  expect(await claimsOf(world)).toEqual([]);
  await agent.deliver();
  expect(world.summary()).toEqual(['a completed 2 [out.log] []']);
});

test('the last link to bytes that no journal speaks for is kept for a person, and told with its session', async () => {
  const { world, agent } = await queued();
  await agent.ship();
  const [{ sid = 0 } = {}] = agent.journal.sessions(folder);
  // Written again, linked, and deleted in the moment before the kill: the journal knows the bytes before only.
  world.folder.write('a/out.log', 'newer bytes');
  const row = agent.journal.files(sid).find(({ path }) => path === 'out.log');
  await world.folder.claim('a/out.log', `${sid}-lost`);
  world.folder.remove('a/out.log');
  expect(row?.state).toBe('uploaded');
  const next = world.start();
  const janitor = janitorOf(world, next);
  await janitor.prepare();
  expect(await claimsOf(world)).toEqual([]);
  const [kept] = world.events.of('claims.kept');
  expect(kept).toMatchObject({ files: 1, sessions: ['a'] });
  await world.clock.advance(8 * 24 * 3_600_000);
  const running = janitor.run();
  await world.clock.advance(1);
  expect(world.events.of('claims.dropped')).toMatchObject([{ directory: kept?.directory, files: 1 }]);
  await janitor.stop();
  await running;
});

test('what is kept for a person is not dropped because the clock was set', async () => {
  const world = new World();
  world.folder.write('a/out.log', 'only here');
  await world.folder.claim('a/out.log', '1-lost');
  world.folder.remove('a/out.log');
  const janitor = janitorOf(world, world.start());
  await janitor.prepare();
  world.clock.setWall(world.clock.nowMs() + 400 * 24 * 3_600_000);
  const running = janitor.run();
  await world.clock.advance(2 * 24 * 3_600_000);
  expect(world.events.of('claims.kept')).toHaveLength(1);
  expect(world.events.of('claims.dropped')).toEqual([]);
  await janitor.stop();
  await running;
});

test('of two claims of the same bytes that nobody needs one is kept when the owner has deleted both names', async () => {
  const world = new World();
  world.folder.write('a/model-5.txt', 'the only bytes');
  world.folder.hardLink('a/model-5.txt', 'a/latest.txt');
  await world.folder.claim('a/model-5.txt', '1-model');
  await world.folder.claim('a/latest.txt', '1-latest');
  world.folder.remove('a/model-5.txt');
  world.folder.remove('a/latest.txt');
  await janitorOf(world, world.start()).prepare();
  expect(world.events.of('claims.kept')).toMatchObject([{ files: 1 }]);
  expect(await claimsOf(world)).toEqual([]);
});

test('a claim of bytes that another one keeps for a file that is to be sent goes', async () => {
  const { world, agent } = await queued(['model-5.txt']);
  world.folder.hardLink('a/model-5.txt', 'a/latest.txt');
  await world.folder.claim('a/latest.txt', '1-lost');
  world.folder.remove('a/model-5.txt');
  world.folder.remove('a/latest.txt');
  expect(await claimsOf(world)).toHaveLength(2);
  await janitorOf(world, agent).prepare();
  expect(await claimsOf(world)).toHaveLength(1);
  expect(world.events.of('claims.kept')).toEqual([]);
  await agent.ship();
  expect(world.store.text(keyOf('model-5.txt'))).toBe('of model-5.txt');
});

test('a claim whose row speaks of other bytes is no less unknown', async () => {
  const { world, agent } = await queued();
  // Dies with the receipt recorded and the claim still there.
  const [sid = 0] = agent.journal.dueSessions(folder, 0, 1);
  const [row] = agent.journal.files(sid).filter(({ path }) => path === 'out.log');
  const receipt = {
    etag: 'e',
    sizeBytes: 10,
    crc32: 'c',
    device: '1',
    receivedAtMs: 0,
    contentType: 'text/plain',
  };
  const fingerprint = row?.fingerprint ?? '';
  agent.journal.recordUploaded(sid, 'out.log', { fingerprint, newFingerprint: fingerprint, receipt });
  world.folder.append('a/out.log', ' and more');
  world.folder.remove('a/out.log');
  await janitorOf(world, world.start()).prepare();
  expect(world.events.of('claims.kept')).toMatchObject([{ files: 1, sessions: ['a'] }]);
});

test('a file that is queued again while its claim is about to be let go keeps it', async () => {
  const { world, agent } = await queued();
  const [sid = 0] = agent.journal.dueSessions(folder, 0, 1);
  const assembling = Promise.withResolvers<void>();
  // The session is assembled anew: its claims are made, the journal has not heard of them yet.
  const turn = agent.context.claiming.take(sid, () => assembling.promise);
  const shipped = agent.ship();
  await world.clock.advance(settleMs);
  const row = () => agent.journal.files(sid).find(({ path }) => path === 'out.log');
  expect(row()?.state).toBe('uploaded');
  expect(await claimsOf(world)).toEqual([row()?.claim]);
  world.folder.write('a/out.log', 'newer');
  const claim = row()?.claim ?? '';
  await world.folder.claim('a/out.log', claim);
  const { draft } = agent.journal.shipment(sid) ?? {};
  if (!draft) throw new Error('the session has no draft');
  const file = { path: 'out.log', role: 'companion', key: row()?.key ?? '', sizeBytes: 5, claim } as const;
  agent.journal.enqueue(sid, {
    seal: { status: 'completed', by: 'result.json', evidence: true },
    shape: 'new',
    draft,
    files: [{ ...file, fingerprint: 'newer' }],
  });
  world.folder.remove('a/out.log');
  assembling.resolve();
  await turn;
  await shipped;
  expect(world.store.text(keyOf('out.log'))).toBe('newer');
  expect(world.log().missing).toEqual([]);
  expect(await claimsOf(world)).toEqual([]);
});
