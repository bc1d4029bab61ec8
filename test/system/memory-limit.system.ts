import { copyFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { removeBucket } from '../support/bucket-uploads.ts';
import { installProgram } from '../support/package-install.ts';
import { makeBucket } from '../support/s3-bucket.ts';
import { BootedHost, makeSystem } from './booted-host.ts';
import { buildPackage, installed, layTraining, manySmall } from './brought.ts';
import { withCleanup } from './cleanup.ts';
import { deliveredSessions, digestsOf } from './delivered-sessions.ts';
import { hostPrograms } from './host-programs.ts';
import { counts, withMemoryController } from './memory-controller.ts';

const mebibyte = 1024 ** 2;
const away = 'http://127.0.0.1:9';

test('10,000 queued files and large ones are shipped within MemoryMax= of the unit', {
  timeout: 1_800_000,
}, async ({ skip }) => {
  await withCleanup(async (context) => {
    for (const program of hostPrograms) {
      const absence = installProgram(program, process.env, (line) => process.stderr.write(`${line}\n`));
      if (absence !== undefined) throw new Error(absence);
    }
    const launch = withMemoryController(context);
    if (!launch)
      return skip('there is no memory controller of version 1; machine.system.ts has one of version 2');
    const system = makeSystem();
    context.onTestFinished(() => rmSync(dirname(system), { recursive: true, force: true }));
    const { directory, file } = buildPackage();
    context.onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const bucket = await makeBucket({ versioned: false });
    context.onTestFinished(() => removeBucket(bucket));
    const host = BootedHost.from(system);
    context.onTestFinished(() => host.remove());
    host.bring((brought) => {
      copyFileSync(file, join(brought, 'trainlogd.deb'));
      layTraining(join(brought, 'training'), [
        ...manySmall(100, 100),
        { name: 'large', fileBytes: [512 * mebibyte] },
        { name: 'few', fileBytes: [160, 192, 224].map((count) => count * mebibyte) },
      ]);
    });
    const said = await host.boot(
      `
section install; ${installed(bucket, away)}
# What the unit reads is in nobody's cache, so that it is the unit that pays for it.
sync; for file in /home/alice/outputs/{large,few}/part-*; do dd if=$file iflag=nocache count=0 status=none; done
section queued; systemctl enable --now trainlogd; until_true 120 status_says '10106 files'; show StatusText; memory_of_unit
sed -i 's|${away}|${bucket.endpoint}|' /etc/trainlogd/trainlogd.env
section sent; systemctl restart trainlogd; until_true 60 status_says '[1-9][0-9]* files'; until_true 600 status_says 'nothing to send; 0 open, 0 being shipped'; show StatusText
section memory; memory_of_unit; grep VmHWM /proc/$(main_pid)/status; systemctl show trainlogd -p MemoryMax,Result,NRestarts
section digests; digests alice
`,
      launch,
    );
    const of = (name: string) => said.get(name) ?? '';
    const { limit_in_bytes, oom_kill, total_rss } = counts(of('memory'));
    process.stderr.write(`10,106 files queued: ${of('queued')}\nall sent: ${of('memory')}\n`);
    expect(of('queued')).toMatch(/10106 files, .* to send/);
    expect(of('sent')).toBe('nothing to send; 0 open, 0 being shipped');
    expect({ limit_in_bytes, oom_kill }).toEqual({ limit_in_bytes: 1024 ** 3, oom_kill: 0 });
    expect(total_rss).toBeLessThan(256 * mebibyte);
    expect(of('memory')).toMatch(/^Result=success$/m);
    expect(of('memory')).toMatch(/^NRestarts=0$/m);
    const delivered = await deliveredSessions(bucket);
    expect(digestsOf(delivered)).toEqual(of('digests').split('\n').sort());
    for (const { log } of delivered.values())
      expect([log.session.status, log.missing]).toEqual(['completed', []]);
  });
});
