import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sessionLogSchema } from '../../src/domain/session-log.ts';
import { installProgram } from '../support/package-install.ts';
import { makeBucket, type TestBucket } from '../support/s3-bucket.ts';
import { BootedHost, makeSystem } from './booted-host.ts';
import { hostPrograms } from './host-programs.ts';

const project = join(import.meta.dirname, '..', '..');
let system = '';
let packages: { readonly directory: string; readonly first: string; readonly second: string };

beforeAll(() => {
  for (const program of hostPrograms) {
    const absence = installProgram(program, process.env, (line) => process.stderr.write(`${line}\n`));
    if (absence !== undefined) throw new Error(absence);
  }
  system = makeSystem();
  const directory = mkdtempSync(join(tmpdir(), 'trainlogd-packages-'));
  packages = { directory, first: packageOf('0.0.9', directory), second: packageOf('0.1.0', directory) };
});

afterAll(() => {
  rmSync(dirname(system), { recursive: true, force: true });
  rmSync(packages.directory, { recursive: true, force: true });
});

/** The same program under another version, compressed fast. */
function packageOf(version: string, out: string): string {
  const args = ['config/package/deb.ts', '--version', version, '--out', out, '--compression', 'gzip'];
  execFileSync(process.execPath, args, { cwd: project, stdio: 'pipe' });
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  return join(out, `trainlogd_${version}_${arch}.deb`);
}

function install({ bucket, endpoint, region, uploader }: TestBucket, at = endpoint): string {
  return `
dpkg -i /first.deb
useradd -m alice; chmod 700 /home/alice; su alice -c 'mkdir -m 700 ~/outputs'
printf 'watch:\\n  directory: /home/alice/outputs\\n' > /etc/trainlogd/config.yaml
cat > /etc/trainlogd/trainlogd.env <<VARIABLES
S3_BUCKET_NAME=${bucket}
AWS_ENDPOINT_URL_S3=${at}
AWS_REGION=${region}
AWS_ACCESS_KEY_ID=${uploader.accessKeyId}
AWS_SECRET_ACCESS_KEY=${uploader.secretAccessKey}
VARIABLES
`;
}

async function hostWith(onRemoved: (work: () => void) => void): Promise<BootedHost> {
  const host = BootedHost.from(system);
  onRemoved(() => host.remove());
  host.put(packages.first, 'first.deb');
  host.put(packages.second, 'second.deb');
  return host;
}

async function logOf(bucket: TestBucket, id: string) {
  const text = (await bucket.bytes(`training-logs/2026/11/${id}.log`)).toString();
  return sessionLogSchema.parse(JSON.parse(text));
}

describe('the package on a booted host', () => {
  test('starts when it is configured, ships what only its owner may read, and comes back whatever ends it', async ({
    onTestFinished,
  }) => {
    const bucket = await makeBucket();
    const host = await hostWith(onTestFinished);
    const said = await host.boot(`
section nothing-else; command -v node npm python3 curl || echo none of them
section install; ${install(bucket)}
section modes; stat -c '%a %U %n' /etc/trainlogd/* /usr/bin/trainlogd
section enabled; systemctl is-enabled trainlogd; show ActiveState
section doctor; trainlogd doctor --env-file /etc/trainlogd/trainlogd.env; echo "exit $?"
section start; systemctl enable --now trainlogd; echo "exit $?"; show ActiveState; show Type; show User
section capabilities; grep -E '^(Cap(Eff|Bnd)|NoNewPrivs|Seccomp):' /proc/$(main_pid)/status
section state; stat -c '%a %U' /var/lib/trainlogd
section ship; train alice run-1; until_true 60 arrived run-1; until_true 40 status_says 'nothing to send; 0 open, 0 being shipped'; show StatusText
section process
su alice -c 'mkdir ~/outputs/died; cd ~/outputs/died; echo "{\\"id\\":\\"died\\",\\"startedAt\\":\\"2026-11-01T00:00:00Z\\"}" > session.json; echo step 1 of died > stdout.log; sleep 1000 & echo $! > session.pid'
until_true 60 status_says '1 open'; systemctl is-active trainlogd-processes.socket; systemctl list-units --no-legend 'trainlogd-processes@*.service' | grep -c running
kill -9 $(cat /home/alice/outputs/died/session.pid); until_true 150 status_says 'nothing to send; 0 open, 0 being shipped'; show StatusText
section killed; before=$(main_pid); kill -9 $before; until_true 60 runs_as_other $before; show NRestarts
section reload; systemctl reload trainlogd; echo "exit $?"; until_true 60 has_reloaded; show ActiveState
section watchdog
mkdir -p /etc/systemd/system/trainlogd.service.d
printf '[Service]\\nWatchdogSec=6s\\n' > /etc/systemd/system/trainlogd.service.d/test.conf
systemctl daemon-reload; systemctl restart trainlogd
before=$(main_pid); block_thread $before; until_true 5 is_blocked $before; echo "$(cat /proc/$before/task/*/status | grep -c 'tracing stop') of $(ls /proc/$before/task | wc -l) threads stand"
until_true 60 runs_as_other $before; log | grep -E 'Watchdog timeout|Main process exited' | tail -2; show NRestarts
section lives; before=$(main_pid); sleep 15; [[ $(main_pid) == $before ]] && echo the same process
section memory
su alice -c 'umask 077; cd ~/outputs; for n in $(seq 300); do mkdir many-$n; echo $n > many-$n/stdout.log; touch many-$n/_SUCCESS; done; mkdir large; head -c 200M /dev/urandom > large/stdout.log; touch large/_SUCCESS'
until_true 20 status_says '[1-9][0-9]* files'; until_true 200 status_says 'nothing to send; 0 open, 0 being shipped'; show StatusText
grep VmHWM /proc/$(main_pid)/status; show MemoryMax
section drop-ins
cp /usr/share/doc/trainlogd/examples/systemd/*.conf /tmp; for drop in /tmp/*.conf; do cp $drop /etc/systemd/system/trainlogd.service.d/x.conf; systemctl daemon-reload; systemd-analyze verify /usr/lib/systemd/system/trainlogd.service; done
rm -f /etc/systemd/system/trainlogd.service.d/x.conf
section stop; train alice run-2; time systemctl stop trainlogd; show Result; show ExecMainStatus
section verify; systemd-analyze verify /usr/lib/systemd/system/trainlogd.service /usr/lib/systemd/system/trainlogd@.service /usr/lib/systemd/system/trainlogd-processes.socket /usr/lib/systemd/system/trainlogd-processes@.service
section exposure; systemd-analyze security trainlogd --no-pager | tail -1
section drain; trainlogd drain --env-file /etc/trainlogd/trainlogd.env; echo "exit $?"
section removed; dpkg -r trainlogd; ls /etc/trainlogd /var/lib/trainlogd; dpkg -P trainlogd; ls -d /etc/trainlogd /var/lib/trainlogd; id trainlogd
section purged-mount; groupadd trainlogd; dpkg -i /first.deb >/dev/null; mkdir /var/lib/trainlogd; mount -t tmpfs state /var/lib/trainlogd; touch /var/lib/trainlogd/journal; dpkg -P trainlogd; echo "exit $?"; ls /var/lib/trainlogd; umount /var/lib/trainlogd; rmdir /var/lib/trainlogd; id trainlogd
section purged-link; dpkg -i /first.deb >/dev/null; mkdir -p /data/claims /data/mine; echo only > /data/claims/1; ln -s /data /var/lib/trainlogd; dpkg -P trainlogd; cat /data/claims/1; rm /data/claims/1; dpkg -i /first.deb >/dev/null; dpkg -P trainlogd; ls /data
section log; log | tail -60
`);
    const of = (name: string) => said.get(name) ?? '';
    expect(of('nothing-else')).toBe('none of them');
    expect(of('modes')).toMatch(/^600 root \/etc\/trainlogd\/trainlogd\.env$/m);
    expect(of('enabled').split('\n')).toEqual(['disabled', 'inactive']);
    expect(of('doctor')).toMatch(/exit 0$/);
    expect(of('start').split('\n').slice(-4)).toEqual(['exit 0', 'active', 'notify', 'trainlogd']);
    // CAP_DAC_READ_SEARCH is the third bit.
    expect(of('capabilities')).toMatch(/CapEff:\t0{15}4\nCapBnd:\t0{15}4\nNoNewPrivs:\t1\nSeccomp:\t2/);
    expect(of('state')).toBe('700 trainlogd');
    expect(of('ship')).toBe('nothing to send; 0 open, 0 being shipped');
    expect(of('process').split('\n')).toEqual(['active', '1', 'nothing to send; 0 open, 0 being shipped']);
    expect((await logOf(bucket, 'died')).session).toMatchObject({
      status: 'interrupted',
      sealedBy: expect.stringMatching(/^session\.pid: process \d+ is gone$/),
    });
    expect(of('killed')).toBe('1');
    expect(of('reload').split('\n')).toEqual(['exit 0', 'active']);
    expect(of('watchdog')).toMatch(
      /^1 of (?!1 )\d+ threads stand\n.*Watchdog timeout .*\n.*exited, code=killed, status=6\/ABRT\n1$/,
    );
    expect(of('lives')).toBe('the same process');
    expect(Number(/VmHWM:\s+(\d+) kB/.exec(of('memory'))?.[1])).toBeLessThan(640 * 1024);
    expect(of('drop-ins')).toBe('');
    expect(of('stop')).toMatch(/success\n0$/);
    expect(of('verify')).toBe('');
    expect(Number(/: ([\d.]+) /.exec(of('exposure'))?.[1])).toBeLessThanOrEqual(1.5);
    expect(of('drain')).toMatch(/exit 0$/);
    expect(of('removed')).toMatch(/trainlogd\.env/);
    expect(of('removed')).toMatch(
      /cannot access '\/etc\/trainlogd'[\s\S]*cannot access '\/var\/lib\/trainlogd'[\s\S]*no such user/,
    );
    expect(of('purged-mount')).toMatch(
      /is mounted at or below \/var\/lib\/trainlogd stays\nexit 0\nid: .*no such user/,
    );
    expect(of('purged-link')).toMatch(
      /holds the only copy .* \/var\/lib\/trainlogd\/claims\/1\nonly\n[\s\S]*it is a link to \/data, .*\nclaims\nmine$/,
    );
    for (const id of ['run-1', 'run-2']) {
      const log = await logOf(bucket, id);
      expect(log.session.status).toBe('completed');
      expect(log.missing).toEqual([]);
      const [out] = log.companions.filter(({ path }) => path === 'stdout.log');
      expect((await bucket.bytes(out?.key ?? '')).toString()).toBe(`step 1 of ${id}\n`);
    }
  });

  test('keeps its queue over an upgrade and a reboot while the bucket is away', async ({
    onTestFinished,
  }) => {
    const bucket = await makeBucket();
    const host = await hostWith(onTestFinished);
    const away = 'http://127.0.0.1:9';
    const before = await host.boot(`
section install; ${install(bucket, away)}
systemctl enable --now trainlogd
for n in 1 2 3; do train alice kept-$n; done
section queued; until_true 60 status_says 'blocked.*6 files|6 files'; show StatusText
section upgrade; before=$(main_pid); dpkg -i --force-confold /second.deb; until_true 60 runs_as_other $before
trainlogd --version; show ActiveState; until_true 30 status_says '6 files'; show StatusText
section configuration; cat /etc/trainlogd/config.yaml
`);
    expect(before.get('queued')).toMatch(/6 files, .* to send/);
    expect(before.get('upgrade')).toMatch(/\nactive\n.*6 files, .* to send/);
    expect(before.get('configuration')).toContain('/home/alice/outputs');
    const after = await host.boot(`
sed -i 's|${away}|${bucket.endpoint}|' /etc/trainlogd/trainlogd.env
section queue; until_true 60 status_says '.'; show StatusText
systemctl restart trainlogd
section arrived; for n in 1 2 3; do until_true 90 arrived kept-$n; done; echo all
section last-stop; journalctl -u trainlogd -o cat --no-pager -b -1 2>/dev/null | tail -5
`);
    expect(after.get('arrived')).toBe('all');
    for (const n of [1, 2, 3]) expect((await logOf(bucket, `kept-${n}`)).missing).toEqual([]);
  });

  test('seals no running session when it is restarted or upgraded; when the system stops they are interrupted', async ({
    onTestFinished,
  }) => {
    const bucket = await makeBucket();
    const host = await hostWith(onTestFinished);
    const said = await host.boot(`
section install; ${install(bucket)}
systemctl enable --now trainlogd
su alice -c 'mkdir ~/outputs/goes-on; cd ~/outputs/goes-on; echo "{\\"id\\":\\"goes-on\\",\\"startedAt\\":\\"2026-11-01T00:00:00Z\\"}" > session.json; echo step 1 > stdout.log'
section restart; until_true 60 status_says '1 open'; before=$(main_pid); systemctl restart trainlogd; until_true 60 runs_as_other $before; until_true 30 status_says '1 open'; show StatusText
section upgrade; before=$(main_pid); dpkg -i --force-confold /second.deb; until_true 60 runs_as_other $before; until_true 30 status_says '1 open'; show StatusText
section sealed; log | grep '"event":"session.sealed"' | grep -c goes-on
`);
    expect(said.get('restart')).toMatch(/1 open/);
    expect(said.get('upgrade')).toMatch(/1 open/);
    expect(said.get('sealed')).toBe('0');
    const { session, companions, missing } = await logOf(bucket, 'goes-on');
    expect(session).toMatchObject({ status: 'interrupted', sealedBy: 'the system is stopping' });
    expect(companions.map(({ path }) => path)).toEqual(['stdout.log']);
    expect(missing).toEqual([]);
  });
});
