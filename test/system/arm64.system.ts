import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installProgram, type NeededProgram } from '../support/package-install.ts';
import { codename } from './booted-host.ts';
import { shipsAndReadsBack } from './ships-and-reads-back.ts';

const project = join(import.meta.dirname, '..', '..');
const work = mkdtempSync(join(tmpdir(), 'trainlogd-arm64-'));
const root = join(work, 'root');
const program = join(work, 'trainlogd-linux-arm64');
const what = 'the tests of the file for arm64';
const programs: readonly NeededProgram[] = [
  { path: '/usr/bin/qemu-aarch64-static', packages: ['qemu-user-static'], what },
  { path: '/usr/bin/aarch64-linux-gnu-strip', packages: ['binutils-aarch64-linux-gnu'], what },
  { path: '/usr/bin/mmdebstrap', packages: ['mmdebstrap'], what },
];

/** Made as on the machine of a release, which is an x64; libraries are Debian's of arm64, unpacked and not set up. */
beforeAll(() => {
  for (const needed of programs) {
    const absence = installProgram(needed, process.env, (line) => process.stderr.write(`${line}\n`));
    if (absence !== undefined) throw new Error(absence);
  }
  const options = ['--quiet', '--architectures=arm64', '--variant=extract'];
  const libraries = '--include=libc6,libatomic1,libstdc++6';
  execFileSync('mmdebstrap', [...options, libraries, codename(), root], { stdio: 'pipe' });
  const build = ['config/package/binary.ts', '--arch', 'arm64', '--out', work];
  execFileSync(process.execPath, build, { cwd: project, stdio: 'pipe' });
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

test('the file for arm64 that was made here is one of that machine, stripped', () => {
  const machine = readFileSync(program).readUInt16LE(18);
  expect(machine).toBe(183); // EM_AARCH64
  expect(statSync(program).size).toBeLessThan(130e6);
});

test('it ships to the bucket and reads back, and starts itself again, on an emulated arm64', async (context) => {
  await shipsAndReadsBack(context, [join(import.meta.dirname, 'emulated.sh'), root, program]);
});
