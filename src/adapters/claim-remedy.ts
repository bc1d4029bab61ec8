import { isLimit, remedyFor } from './errno.ts';

/** What a person can do where links to queued files cannot be made, looked at or taken away. */
export function claimRemedy(code: string): string {
  if (code === 'EXDEV')
    return 'put state.directory on the file system of the watched folder, or keep files until they are shipped';
  if (code === 'EPERM' || code === 'EACCES') {
    return 'run trainlogd as the owner of the files or with CAP_FOWNER (fs.protected_hardlinks forbids links to files of others), or keep files until they are shipped';
  }
  if (isLimit(code)) return remedyFor(code, '');
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return 'free space and inodes on the disk of state.directory, or keep files until they are shipped';
  if (code === 'EROFS') return 'mount the disk of state.directory writable';
  if (code === 'EIO') return 'check the disk of state.directory (dmesg, smartctl)';
  return 'keep files until they are shipped, or make state.directory writable and large enough';
}
