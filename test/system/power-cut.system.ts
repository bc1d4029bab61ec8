import { afterAll, beforeAll, expect, test } from 'vitest';
import { removeBucket, unfinishedUploads } from '../support/bucket-uploads.ts';
import { eventually } from '../support/eventually.ts';
import { makeBucket, type TestBucket } from '../support/s3-bucket.ts';
import { installed, manySmall } from './brought.ts';
import { deliveredSessions, digestsOf } from './delivered-sessions.ts';
import { MachineParts } from './machine-parts.ts';
import { endpointFromMachine } from './virtual-machine.ts';

const mebibyte = 1024 ** 2;
let parts: MachineParts;
beforeAll(() => {
  parts = new MachineParts();
});
afterAll(() => parts.remove());

const objectCount = async (bucket: TestBucket) =>
  new Set((await bucket.versions()).map(({ key }) => key)).size;

/** When the power goes, each in a life of its own, once the service has said READY. */
const moments: readonly (readonly [when: string, (bucket: TestBucket) => Promise<boolean>])[] = [
  ['a file is sent in parts', async (bucket) => (await unfinishedUploads(bucket)).length > 0],
  ['it has just started', async () => true],
  ['many files are sent', async (bucket) => (await objectCount(bucket)) > 60],
];

test('the disk of the machine forgets with its power what was not flushed', { timeout: 900_000 }, async ({
  onTestFinished,
}) => {
  const machine = parts.machineWith([]);
  onTestFinished(() => machine.remove());
  const life = machine.start(
    `
mount -o remount,commit=600 /
for name in flushed unflushed; do head -c 1M /dev/zero > /$name; done; sync
tr '\\0' x < /flushed > /run/written
dd if=/run/written of=/flushed conv=notrunc,fsync oflag=direct bs=64k status=none
dd if=/run/written of=/unflushed conv=notrunc oflag=direct bs=64k status=none
section written; sleep infinity
`,
    { canLosePower: true },
  );
  await life.reached('written');
  expect((await life.cutPower()).dropped).toBeGreaterThanOrEqual(16);
  const after = machine.start(`
section after; for name in flushed unflushed; do echo "$name $(stat -c %s /$name) $(tr -dc x < /$name | wc -c)"; done
section off; systemctl poweroff
`);
  await after.ended;
  expect(after.said().get('after')).toBe('flushed 1048576 1048576\nunflushed 1048576 0');
});

test('a machine that loses its power again and again loses nothing that was on its disk', {
  timeout: 2_400_000,
}, async ({ onTestFinished }) => {
  const bucket = await makeBucket();
  onTestFinished(() => removeBucket(bucket));
  const large = { name: 'large', fileBytes: [24 * mebibyte, 16 * mebibyte] };
  const machine = parts.machineWith([...manySmall(15, 10), large]);
  onTestFinished(() => machine.remove());
  const setUp = `section install; ${installed(bucket, endpointFromMachine(bucket))}\nsync; systemctl enable --now trainlogd\n`;
  for (const [n, [when, isThere]] of moments.entries()) {
    const script = `section up; until_true 300 is_active; section trains; trains alice live-${n} 3`;
    const life = machine.start(`${n === 0 ? setUp : ''}${script}`, { canLosePower: true });
    await life.reached('trains');
    expect(life.said().get('up')).toBe('');
    await eventually(() => isThere(bucket), { timeoutMs: 600_000, everyMs: 500 });
    const { kept, dropped } = await life.cutPower();
    process.stderr.write(
      `${when}, ${await objectCount(bucket)} objects: power cut, ${kept} writes kept, ${dropped} dropped\n`,
    );
  }
  const life = machine.start(`
section up; until_true 300 is_active
section unwritten; find /home/alice/outputs -name stdout.log -empty
section sent; until_true 60 status_says '[0-9] files?, .* to send' > /dev/null; until_true 900 status_says 'nothing to send; 0 open, 0 being shipped'; show StatusText
section restarts; show NRestarts
section state; ls /var/lib/trainlogd /var/lib/trainlogd/claims
section digests; digests alice
section off; systemctl poweroff
`);
  await life.ended;
  const of = (name: string) => life.said().get(name) ?? '';
  process.stderr.write(`lost with the power, on no disk yet: ${of('unwritten')}\n${of('state')}\n`);
  expect(of('up')).toBe('');
  // What nobody had flushed is gone: the power was.
  expect(of('unwritten')).not.toBe('');
  expect(of('sent')).toBe('nothing to send; 0 open, 0 being shipped');
  expect(of('restarts')).toBe('0');
  expect(of('state')).not.toMatch(/damaged|unknown/);
  const delivered = await deliveredSessions(bucket);
  expect(digestsOf(delivered)).toEqual(of('digests').split('\n').sort());
  for (const [name, { log }] of delivered)
    expect([name, log.session.status, log.missing]).toEqual([name, 'completed', []]);
});

test('what the power took from a file that had arrived stays in the bucket', { timeout: 1_200_000 }, async ({
  onTestFinished,
}) => {
  const bucket = await makeBucket();
  onTestFinished(() => removeBucket(bucket));
  const machine = parts.machineWith([]);
  onTestFinished(() => machine.remove());
  // Names reach the disk with the journal's next sync, what is in the files not for minutes.
  const life = machine.start(
    `
sysctl -q vm.dirty_expire_centisecs=60000 vm.dirty_writeback_centisecs=60000
section install; ${installed(bucket, endpointFromMachine(bucket))}
sync; systemctl enable --now trainlogd; until_true 300 is_active
section trains; train alice last; until_true 300 arrived last; until_true 300 status_says 'nothing to send; 0 open, 0 being shipped'
section arrived; sleep infinity
`,
    { canLosePower: true },
  );
  await life.reached('arrived');
  const before = (await deliveredSessions(bucket)).get('last');
  expect(before?.log.session.status).toBe('completed');
  await life.cutPower();
  const after = machine.start(`
section up; until_true 300 is_active
section left; stat -c %s /home/alice/outputs/last/stdout.log
section told; until_true 300 status_says 'nothing to send; 0 open, 0 being shipped'; sleep 20; until_true 300 status_says 'nothing to send; 0 open, 0 being shipped'; show StatusText
section off; systemctl poweroff
`);
  await after.ended;
  expect(after.said().get('up')).toBe('');
  expect(after.said().get('left')).toBe('0');
  const kept = (await deliveredSessions(bucket)).get('last');
  expect(kept && digestsOf(new Map([['last', kept]]))).toEqual(
    before && digestsOf(new Map([['last', before]])),
  );
  expect(kept?.log.warnings).toContainEqual(
    expect.stringMatching(
      /^stdout\.log: 15 bytes of it arrived before this host was started, the disk has 0 /,
    ),
  );
});
