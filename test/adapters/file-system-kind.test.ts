import { statfs } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { fileSystemKind } from '../../src/adapters/file-system-kind.ts';

test.each([
  [0x6969, 'nfs', true],
  [0xff534d42, 'cifs', true],
  [0xff534d42 | 0, 'cifs', true], // as a signed 32-bit number
  [0xfe534d42n, 'smb2', true],
  [0x0bd00bd0, 'lustre', true],
  [0x00c36400, 'ceph', true],
  [0x47504653, 'gpfs', true],
  [0x19830326, 'beegfs', true],
  [0x65735546, 'fuse', true],
  [0x01021997, '9p', true],
  [0x5346414f, 'afs', true],
  [0x7461636f, 'ocfs2', true],
  [0x01161970, 'gfs2', true],
  [0xef53, 'ext4', false],
  [0x58465342, 'xfs', false],
  [0x9123683e, 'btrfs', false],
  [0x01021994, 'tmpfs', false],
  [0x794c7630, 'overlayfs', false],
  [0x2fc12fc1, 'zfs', false],
  [0x12345678, '0x12345678', false],
])('the magic number %s is %s, network: %s', (magic, name, network) => {
  expect(fileSystemKind(magic)).toEqual({ name, network });
});

test('the file system of /proc is local', async () => {
  expect(fileSystemKind((await statfs('/proc')).type).network).toBe(false);
});
