import type { NeededProgram } from '../support/package-install.ts';

const what = 'the tests on a booted host';

/** What a machine of its own is made and booted with. */
export const hostPrograms: readonly NeededProgram[] = [
  { path: '/usr/bin/mmdebstrap', packages: ['mmdebstrap'], what },
  { path: '/usr/bin/systemd-nspawn', packages: ['systemd-container'], what },
];
