/**
 * What `npm test` runs: makes the real S3 server, a browser and promtool available where it can, runs every suite, and says
 * at the end what did not run and why. Arguments go to vitest.
 *
 *   TRAINLOGD_TEST_NO_INSTALL=1   install no packages
 *   TRAINLOGD_TEST_REQUIRE_S3=1   a missing S3 server is a failure; implied by CI=true
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, installProgram, promtool } from './support/package-install.ts';
import { installS3Server } from './support/s3-install.ts';
import { acquireS3Server } from './support/s3-server.ts';

const vitest = join(import.meta.dirname, '..', 'node_modules', 'vitest', 'vitest.mjs');
const say = (line: string) => process.stderr.write(`${line}\n`);

process.exitCode = await main();

async function main(): Promise<number> {
  const required = process.env['CI'] === 'true' || process.env['TRAINLOGD_TEST_REQUIRE_S3'] === '1';
  const refusal = await installS3Server(process.env, say);
  for (const program of [chromium, promtool]) {
    const absence = installProgram(program, process.env, say);
    if (absence === undefined || process.env['CI'] !== 'true') continue;
    say(`no test ran: ${program.path} is required here, and there is none: ${absence}`);
    return 1;
  }
  const server = await acquireS3Server(process.env);
  const reason = server.available ? undefined : (refusal ?? server.reason);
  if (reason !== undefined && required) {
    say(`no test ran: the S3 server is required here, and there is none: ${reason}`);
    return 1;
  }
  const compiled = mkdtempSync(join(tmpdir(), 'trainlogd-compiled-'));
  try {
    const s3 = server.available ? server.env : { TRAINLOGD_TEST_S3_ABSENT: reason };
    const strict = required ? { TRAINLOGD_TEST_REQUIRE_S3: '1' } : {};
    // A start of the program strips and compiles some 400 files, and most tests start it. Node keeps by the bytes of each
    // source what it made of it: nothing runs that is not in the checkout.
    return await runVitest({ NODE_COMPILE_CACHE: compiled, ...process.env, ...s3, ...strict });
  } finally {
    rmSync(compiled, { recursive: true, force: true });
    if (server.available) server.release();
  }
}

function runVitest(env: NodeJS.ProcessEnv): Promise<number> {
  const reporters = ['--reporter=default', '--reporter=./test/support/skipped-reporter.ts'];
  const args = [vitest, 'run', ...reporters, ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, { env, stdio: 'inherit' });
  // A terminal sends Ctrl-C to both; we stay to stop the server.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
