import { afterAll, beforeAll, expect, test } from 'vitest';
import { removeBucket } from '../support/bucket-uploads.ts';
import { makeBucket } from '../support/s3-bucket.ts';
import { installed, manySmall } from './brought.ts';
import { withCleanup } from './cleanup.ts';
import { deliveredSessions, digestsOf } from './delivered-sessions.ts';
import { MachineParts } from './machine-parts.ts';
import { counts } from './memory-controller.ts';
import { endpointFromMachine } from './virtual-machine.ts';

const mebibyte = 1024 ** 2;
let parts: MachineParts;
beforeAll(() => {
  parts = new MachineParts();
});
afterAll(() => parts.remove());

test('a machine that is rebooted while it sends goes on within the memory of its unit, and says at its end what is interrupted', {
  timeout: 2_400_000,
}, async () => {
  await withCleanup(async (context) => {
    const bucket = await makeBucket({ versioned: false });
    context.onTestFinished(() => removeBucket(bucket));
    const machine = parts.machineWith([
      ...manySmall(10, 50),
      { name: 'large', fileBytes: [512 * mebibyte] },
      { name: 'few', fileBytes: [128 * mebibyte, 128 * mebibyte] },
    ]);
    context.onTestFinished(() => machine.remove());
    const first = machine.start(`
section install; ${installed(bucket, endpointFromMachine(bucket))}
sync; echo 3 > /proc/sys/vm/drop_caches
section sending; systemctl enable --now trainlogd; until_true 120 status_says '[0-9] files?, .* to send'; until_true 300 status_says '^[1-4][0-9]{2} files'; show StatusText; memory_of_unit
section reboot; systemctl reboot
`);
    await first.ended;
    const sending = first.said().get('sending') ?? '';
    expect(sending).toMatch(/\d files?, .* to send/);
    const second = machine.start(`
section back; until_true 300 is_active; until_true 60 status_says '[0-9] files?, .* to send'; show StatusText; systemctl show trainlogd -p NRestarts,ActiveState
section sent; until_true 900 status_says 'nothing to send; 0 open, 0 being shipped'; show StatusText
section memory; memory_of_unit; grep VmHWM /proc/$(main_pid)/status; systemctl show trainlogd -p MemoryMax,MemoryHigh,Result,NRestarts
section digests; digests alice
su alice -c 'mkdir ~/outputs/goes-on; cd ~/outputs/goes-on; echo "{\\"id\\":\\"goes-on\\",\\"startedAt\\":\\"2026-11-01T00:00:00Z\\"}" > session.json; echo step 1 > part-0'
section open; until_true 120 status_says '1 open'; show StatusText
section off; systemctl poweroff
`);
    await second.ended;
    const of = (name: string) => second.said().get(name) ?? '';
    process.stderr.write(
      `before the reboot: ${sending}\nafter it: ${of('back')}\nall sent: ${of('memory')}\n`,
    );
    expect(of('back')).toMatch(/\d files?, .* to send/);
    expect(of('sent')).toBe('nothing to send; 0 open, 0 being shipped');
    const used = counts(of('memory'));
    expect(used).toMatchObject({
      'memory.max': 1024 ** 3,
      'memory.high': 640 * mebibyte,
      oom: 0,
      oom_kill: 0,
    });
    expect(used['anon']).toBeLessThan(256 * mebibyte);
    expect(of('memory')).toMatch(/^Result=success$/m);
    expect(of('memory')).toMatch(/^NRestarts=0$/m);
    const delivered = new Map(await deliveredSessions(bucket));
    const interrupted = delivered.get('goes-on')?.log;
    expect(interrupted?.session).toMatchObject({ status: 'interrupted', sealedBy: 'the system is stopping' });
    expect(interrupted?.companions.map(({ path }) => path)).toEqual(['part-0']);
    delivered.delete('goes-on');
    expect(digestsOf(delivered)).toEqual(of('digests').split('\n').sort());
    for (const { log } of delivered.values())
      expect([log.session.status, log.missing]).toEqual(['completed', []]);
  });
});
