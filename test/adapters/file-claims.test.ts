import { link, mkdir, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { realFolder } from '../support/real-folder.ts';

test('below the floor only claims that are the last link to their bytes are let go, oldest first', async () => {
  const folder = await realFolder({ claimFloor: { freeBytesMin: Number.MAX_SAFE_INTEGER } });
  for (const name of ['kept', 'first', 'second']) {
    await folder.write(name, name);
    await folder.source.claim(name, `claim-${name}`);
  }
  // The moment that counts is when the owner deletes: since then the bytes cost space.
  for (const name of ['second', 'first']) {
    await unlink(folder.at(name));
    await changedClock(folder.at('kept').toString());
  }
  expect(await folder.source.releaseClaimsBelowFloor()).toEqual(['claim-second', 'claim-first']);
  expect((await folder.source.claims()).map(({ claim }) => claim)).toEqual(['claim-kept']);
});

test('below the floor claims of the same bytes are let go together, each is named, and their room counts once', async () => {
  const folder = await realFolder({ claimFloor: { freeBytesMin: Number.MAX_SAFE_INTEGER } });
  await folder.write('f', 'x');
  await folder.hardLink('f', 'g');
  await folder.source.claim('f', 'claim-f');
  await folder.source.claim('g', 'claim-g');
  await folder.remove('f');
  expect(await folder.source.releaseClaimsBelowFloor()).toEqual([]);
  await folder.remove('g');
  expect(await folder.source.releaseClaimsBelowFloor()).toEqual(['claim-f', 'claim-g']);
  expect(await folder.source.claims()).toEqual([]);
});

test('a kill while a claim goes over to newer bytes leaves them a claim that is listed', async () => {
  const folder = await realFolder();
  await folder.write('f', 'old');
  await folder.source.claim('f', '1-f');
  await folder.replace('f', 'newer');
  const claims = join(folder.stateDirectory, 'claims');
  // Whatever is in the way of the rename stands for the kill.
  await rm(join(claims, '1-f'));
  await mkdir(join(claims, '1-f'));
  expect(await folder.source.claim('f', '1-f')).toBeUndefined();
  await folder.remove('f');
  expect(await folder.source.claims()).toMatchObject([{ claim: '1-f.new', sizeBytes: 5, isLastLink: true }]);
});

test('above the floor every claim is kept', async () => {
  const folder = await realFolder({ claimFloor: { freeBytesMin: 0, freeShareMin: 0 } });
  await folder.write('f', 'x');
  await folder.source.claim('f', 'claim-1');
  await folder.remove('f');
  expect(await folder.source.releaseClaimsBelowFloor()).toEqual([]);
  expect(await folder.source.claims()).toHaveLength(1);
});

test('no more is let go than what reaches the floor', async () => {
  const folder = await realFolder();
  expect(await folder.source.releaseClaimsBelowFloor()).toEqual([]);
});

test.each(['', '.', '..', '../escape', 'a/b', '.hidden', 'x'.repeat(201)])(
  'the claim name %j is refused',
  async (claim) => {
    const folder = await realFolder();
    await folder.write('f', 'x');
    await expect(folder.source.claim('f', claim)).rejects.toThrow('naming a claim');
  },
);

/** Waits until the file system's clock shows another time: ctime moves in steps of some milliseconds. */
async function changedClock(path: string): Promise<void> {
  const { lstatSync } = await import('node:fs');
  const before = lstatSync(path, { bigint: true }).ctimeNs;
  const probe = join(path, '..', 'probe');
  for (let now = before; now === before; now = lstatSync(path, { bigint: true }).ctimeNs) {
    await link(path, probe);
    await rm(probe);
  }
}
