import { realpathSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkHost } from '../../src/doctor/host.ts';
import { type Given, visitOf } from './visit.ts';

const inPod = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };

async function codesAt(given: Given): Promise<string[] | string> {
  const { visit } = await visitOf(given);
  const result = await checkHost(visit);
  return 'because' in result ? result.because : result.map(({ code }) => code);
}

const root = realpathSync('/tmp');
const overlay = '1 0 0:1 / / rw - overlay overlay rw\n';
const emptyDir = `${overlay}2 1 0:2 /var/lib/kubelet/pods/1/volumes/kubernetes.io~empty-dir/out ${root} rw - ext4 /dev/sda rw\n`;
const inMemory = `${overlay}2 1 0:2 / ${root} rw - tmpfs tmpfs rw\n`;
const claim = `${overlay}2 1 0:2 / ${root} rw shared:1 - nfs4 server:/ rw\n`;
const unit = (lines: string) => ({ systemctl: `LoadState=loaded\n${lines}\n` });
/** As systemd prints two: the service, an empty line, the socket. */
const units = (user: string, socketUser: string, removes: string) =>
  unit(
    `User=${user}\nRemoveIPC=${removes}\nProtectProc=invisible\n\nLoadState=loaded\nSocketUser=${socketUser}\nRemoveIPC=no`,
  );

test.each<[string, Given, string[] | string]>([
  ['no pod and no unit', {}, 'neither in a pod nor a unit called trainlogd.service'],
  [
    'a unit that is not installed',
    { prints: { systemctl: 'LoadState=not-found\n' } },
    'neither in a pod nor a unit called trainlogd.service',
  ],
  ['a pod with a claim', { env: inPod, proc: { 'self/mountinfo': claim } }, ['host.ok']],
  [
    "a folder in the container's own file system",
    { env: inPod, proc: { 'self/mountinfo': overlay } },
    ['kubernetes.notShared'],
  ],
  [
    'an emptyDir with seconds to drain',
    { env: inPod, proc: { 'self/mountinfo': emptyDir } },
    ['kubernetes.emptyDir'],
  ],
  [
    'an emptyDir in memory with seconds to drain',
    { env: inPod, proc: { 'self/mountinfo': inMemory } },
    ['kubernetes.emptyDir'],
  ],
  [
    'an emptyDir with minutes to drain, and a grace that nobody sees',
    { env: { ...inPod, TRAINLOGD_DRAIN_TIMEOUT: '870s' }, proc: { 'self/mountinfo': emptyDir } },
    ['kubernetes.gracePeriod'],
  ],
  ['a pod whose mounts are not to be seen', { env: inPod, proc: {} }, ['host.ok']],
  ['a unit with time enough', { prints: unit('TimeoutStopUSec=1min 30s') }, ['host.ok']],
  ['a unit that waits for ever', { prints: unit('TimeoutStopUSec=infinity') }, ['host.ok']],
  [
    'a unit that is killed before it has drained',
    { env: { TRAINLOGD_DRAIN_TIMEOUT: '2m' }, prints: unit('TimeoutStopUSec=1min 30s') },
    ['systemd.stopTimeout'],
  ],
  [
    'a unit that runs and is started at boot',
    { prints: unit('ActiveState=active\nSubState=running\nUnitFileState=enabled\nEnvironmentFiles=') },
    ['host.ok'],
  ],
  [
    'a unit that has failed',
    { prints: unit('ActiveState=failed\nSubState=failed\nResult=exit-code') },
    ['systemd.failed'],
  ],
  [
    'a unit that fails at every start',
    { prints: unit('ActiveState=activating\nSubState=auto-restart\nResult=exit-code') },
    ['systemd.failed'],
  ],
  [
    'a unit that was never started',
    { prints: unit('ActiveState=inactive\nUnitFileState=disabled') },
    ['systemd.stopped'],
  ],
  [
    'a unit that does not come back after a boot',
    { prints: unit('ActiveState=active\nUnitFileState=disabled') },
    ['systemd.disabled'],
  ],
  [
    'a unit with variables of its own',
    { prints: unit('ActiveState=active\nEnvironmentFiles=/etc/trainlogd/env (ignore_errors=yes)') },
    ['systemd.environment'],
  ],
  [
    'a unit with variables of its own, that this doctor was given',
    {
      prints: unit('EnvironmentFiles=/etc/trainlogd/env (ignore_errors=yes)'),
      more: () => ({ envFile: '/etc/trainlogd/env' }),
    },
    ['host.ok'],
  ],
  ['a unit that may ask for more', { prints: unit('TimeoutStopUSec=5s\nNotifyAccess=all') }, ['host.ok']],
  ['a unit that speaks for itself', { prints: unit('TimeoutStopUSec=5s\nNotifyAccess=main') }, ['host.ok']],
  ['the unit and the socket of the package', { prints: units('trainlogd', 'trainlogd', 'yes') }, ['host.ok']],
  ['a user of its own, with all that it takes', { prints: units('ml', 'ml', 'no') }, ['host.ok']],
  [
    'a user of its own, who is not told of processes and loses shared memory',
    { prints: units('ml', 'trainlogd', 'yes') },
    ['systemd.processesUnseen', 'systemd.sharedMemory'],
  ],
  [
    'a unit without its socket',
    {
      prints: {
        systemctl: 'LoadState=loaded\nUser=trainlogd\nProtectProc=invisible\n\nLoadState=not-found\n',
      },
    },
    ['systemd.processesUnseen'],
  ],
  ['a unit with its own /tmp', { prints: unit('PrivateTmp=yes') }, ['systemd.folderHidden']],
  ['a unit that sees no homes', { prints: unit('ProtectHome=yes\nPrivateTmp=no') }, ['host.ok']],
])('%s', async (_, given, expected) => {
  expect(await codesAt(given)).toEqual(expected);
});

test('a grace period that cannot be seen is told, and warns of nothing', async () => {
  const { visit } = await visitOf({ env: { ...inPod, TRAINLOGD_DRAIN_TIMEOUT: '870s' }, proc: {} });
  expect(await checkHost(visit)).toMatchObject([
    { code: 'kubernetes.gracePeriod', level: 'ok', finding: expect.stringContaining('Seconds: 900 or more') },
  ]);
});

test('a folder in a home is not seen by a unit with ProtectHome', async () => {
  const given: Given = {
    prints: unit('ProtectHome=tmpfs'),
    more: () => ({ watchedDirectory: '/home/kim/outputs' }),
  };
  const { visit } = await visitOf(given);
  const shown = {
    ...given,
    prints: unit('ProtectHome=tmpfs\nBindReadOnlyPaths=-/root:/root:rbind -/home:/home:rbind'),
  };
  expect(await codesAt(shown)).toEqual(['host.ok']);
  const other = { ...given, prints: unit('ProtectHome=tmpfs\nBindReadOnlyPaths=/root:/root:rbind') };
  expect(await codesAt(other)).toEqual(['systemd.folderHidden']);
  expect(await checkHost(visit)).toMatchObject([
    {
      code: 'systemd.folderHidden',
      level: 'critical',
      remedy: expect.stringContaining('ProtectHome=read-only'),
    },
  ]);
});
