import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const postrm = join(import.meta.dirname, '../../config/package/debian/postrm');

/** Purges where nothing of this machine is in reach, and says what is left of the state directory. */
function purge(before: string): string[] {
  const script = `awk=$(readlink -f /usr/bin/awk)
    for at in /etc /run /var/lib; do mount -t tmpfs none $at; done
    mkdir -p /etc/alternatives; ln -s "$awk" /etc/alternatives/awk
    mkdir -p /etc/trainlogd /var/lib/trainlogd/claims /var/lib/folder
    cd /var/lib/trainlogd
    ${before}
    sh ${JSON.stringify(postrm)} purge
    cd / && find /var/lib/trainlogd /etc/trainlogd -type f | sort`;
  const said = execFileSync('unshare', ['--map-root-user', '--mount', 'sh', '-c', script], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return said.split('\n').slice(0, -1);
}

test.each([
  ['of a file that is still in its folder', 'echo a >/var/lib/folder/a; ln /var/lib/folder/a claims/1'],
  ['of nothing', 'echo key >/etc/trainlogd/trainlogd.env; echo >journal.sqlite'],
])('a purge takes the claim %s', (_, before) => {
  expect(purge(before)).toEqual([]);
});

test.each([
  ['one', 'echo a >claims/1', ['/var/lib/trainlogd/claims/1']],
  // The training had two names for it.
  [
    'two of the same',
    'echo a >claims/1; ln claims/1 claims/2',
    ['/var/lib/trainlogd/claims/1', '/var/lib/trainlogd/claims/2'],
  ],
  [
    'that of another folder',
    'mkdir -p vision/claims.unknown-2026; echo a >"vision/claims.unknown-2026/a b"',
    ['/var/lib/trainlogd/vision/claims.unknown-2026/a b'],
  ],
])('a purge leaves the last links to a file: %s', (_, before, left) => {
  const [said, ...there] = purge(before);
  expect(said).toMatch(/^trainlogd: \/var\/lib\/trainlogd stays: it holds the only copy of files .*\/claims/);
  expect(there).toEqual(left);
});
