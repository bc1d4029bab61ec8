import type { NeededProgram } from '../support/package-install.ts';

const what = 'the tests of the image';

/** What a base is made with and the Dockerfile built by. */
export const imagePrograms: readonly NeededProgram[] = [
  { path: '/usr/bin/mmdebstrap', packages: ['mmdebstrap'], what },
  { path: '/usr/bin/buildah', packages: ['buildah'], what },
];
