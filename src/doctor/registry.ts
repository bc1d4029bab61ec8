import { checkBucket } from './bucket.ts';
import { checkClock } from './clock.ts';
import type { Room } from './codes.ts';
import { checkConfiguration } from './configuration.ts';
import { checkCredentials } from './credentials.ts';
import { checkDisk } from './disk.ts';
import { checkFolder } from './folder.ts';
import { checkHost } from './host.ts';
import { checkNetwork } from './network.ts';
import { checkPermissions } from './permissions.ts';
import { checkState } from './state-directory.ts';
import type { Check } from './visit.ts';

/** What is looked at, one check a room. */
export const checks: Readonly<Record<Room, Check>> = {
  configuration: checkConfiguration,
  folder: checkFolder,
  disk: checkDisk,
  state: checkState,
  clock: checkClock,
  credentials: checkCredentials,
  network: checkNetwork,
  bucket: checkBucket,
  permissions: checkPermissions,
  host: checkHost,
};
