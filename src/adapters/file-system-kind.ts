/**
 * What a file system is, by the magic number that statfs(2) gives. Numbers: `linux/magic.h`, the list in the
 * statfs(2) manual page, and `src/fs.h` of GNU coreutils for those outside the kernel tree (GPFS, BeeGFS, PanFS,
 * ACFS, SNFS, IBRIX, WekaFS, VMHGFS).
 *
 * `network` means: another machine may change it, inotify does not see that, and a call may wait for a server.
 * FUSE counts as such because most of what training hosts mount by it (sshfs, gcsfuse, s3fs, JuiceFS, virtiofs) is.
 */
export interface FileSystemKind {
  readonly name: string;
  readonly network: boolean;
}

const networkKinds: ReadonlyMap<number, string> = new Map([
  [0x6969, 'nfs'],
  [0x517b, 'smb'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb2'],
  [0x0bd00bd0, 'lustre'],
  [0x00c36400, 'ceph'],
  [0x47504653, 'gpfs'],
  [0x19830326, 'beegfs'],
  [0x65735546, 'fuse'],
  [0x01021997, '9p'],
  [0x5346414f, 'afs'],
  [0x6b414653, 'kafs'],
  [0x73757245, 'coda'],
  [0x7461636f, 'ocfs2'],
  [0x01161970, 'gfs2'],
  [0x61636673, 'acfs'],
  [0xaad7aaea, 'panfs'],
  [0x013111a8, 'ibrix'],
  [0xbeefdead, 'snfs'],
  [0x18031977, 'wekafs'],
  [0x564c, 'ncp'],
  [0x786f4256, 'vboxsf'],
  [0xbacbacbc, 'vmhgfs'],
  [0x7c7c6673, 'prl_fs'],
]);

const localKinds: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x01021994, 'tmpfs'],
  [0x794c7630, 'overlayfs'],
  [0x2fc12fc1, 'zfs'],
  [0xf2f52010, 'f2fs'],
  [0xca451a4e, 'bcachefs'],
  [0x858458f6, 'ramfs'],
  [0xf15f, 'ecryptfs'],
  [0x2011bab0, 'exfat'],
  [0x4d44, 'vfat'],
  [0x5346544e, 'ntfs'],
  [0x7366746e, 'ntfs3'],
  [0x52654973, 'reiserfs'],
  [0x3153464a, 'jfs'],
  [0x3434, 'nilfs2'],
  [0x61756673, 'aufs'],
]);

/** `type` as statfs gives it, signed or not. A number that nobody knows counts as local and is named in hex. */
export function fileSystemKind(type: number | bigint): FileSystemKind {
  const magic = Number(BigInt.asUintN(32, BigInt(type)));
  const network = networkKinds.get(magic);
  if (network !== undefined) return { name: network, network: true };
  return { name: localKinds.get(magic) ?? `0x${magic.toString(16)}`, network: false };
}
