import type { NeededProgram } from '../support/package-install.ts';

const what = 'the tests on a machine of its own';

/** What a machine with a kernel of its own is made and started with. */
export const machinePrograms: readonly NeededProgram[] = [
  { path: '/usr/bin/mmdebstrap', packages: ['mmdebstrap'], what },
  { path: '/usr/bin/qemu-system-x86_64', packages: ['qemu-system-x86'], what },
];
