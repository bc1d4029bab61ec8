import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dockerfileFaults } from '../support/dockerfile-faults.ts';

const dockerfile = readFileSync(join(import.meta.dirname, '..', '..', 'Dockerfile'), 'utf8');
const digest = `debian@sha256:${'0a'.repeat(32)}`;

test('the linter has nothing to say of the Dockerfile, nor of one whose base is pinned by its digest', () => {
  expect(dockerfileFaults(dockerfile)).toEqual([]);
  expect(dockerfileFaults(dockerfile.replace('debian:12.11-slim', digest))).toEqual([]);
});

/** In the place of the second stands the third; for the fault it says which. */
test.each([
  [/DL3006 .*"debian:latest"/, 'debian:12.11-slim', 'debian:latest'],
  [/DL3006 .*"debian"/, 'debian:12.11-slim', 'debian'],
  [/DL3006 .*"node:24-slim"/, 'node:24.9.0-bookworm-slim', 'node:24-slim'],
  [/DL3006 .*"reg:5000\/debian"/, 'debian:12.11-slim', 'reg:5000/debian'],
  [/DL3020 ADD https:/, 'COPY . .', 'ADD https://example.com/trainlogd.tar.gz /build/'],
  [/DL3002 USER root/, 'USER 10001:10001', 'USER root'],
  [/DL3002 USER 0:10001/, 'USER 10001:10001', 'USER 0:10001'],
  [/DL3002 USER none/, 'USER 10001:10001', ''],
  [/DL3002 USER 0/, 'CMD ["run"]', 'CMD ["run"]\nUSER 0'],
  [/DL3025 CMD run/, 'CMD ["run"]', 'CMD run'],
  [/DL3025 ENTRYPOINT \/usr/, 'ENTRYPOINT ["/usr/bin/trainlogd"]', 'ENTRYPOINT /usr/bin/trainlogd'],
  [/no ENTRYPOINT/, 'ENTRYPOINT ["/usr/bin/trainlogd"]', ''],
  [/DL3025 HEALTHCHECK/, 'CMD ["/usr/bin/trainlogd", "status", "--json"]', 'CMD trainlogd status'],
  [/DL3057/, /^HEALTHCHECK.*$/m, ''],
  [/DL3057/, /^HEALTHCHECK.*$/m, 'HEALTHCHECK NONE'],
  [/DL3022 COPY --from=builder/, 'COPY --from=build ', 'COPY --from=builder '],
  [/DL3015/, ' --no-install-recommends', ''],
  [/DL3014/, ' -y ', ' '],
  [/DL3009/, 'rm -rf /var/lib/apt/lists/*', 'true'],
  [/DL3009/, 'apt-get update', 'true'],
  [/DL3027/, 'apt-get update', 'apt-get update && apt list'],
  [/DL3005/, 'apt-get update', 'apt-get update && apt-get upgrade -y'],
  [/DL3016/, 'npm ci', 'npm install'],
  [/DL3003/, 'npm ci', 'cd /build && npm ci'],
  [/DL3004/, 'npm ci', 'sudo npm ci'],
  [/DL4006/, 'npm ci --ignore-scripts', 'npm ci --ignore-scripts | tail'],
  [/DL3011 EXPOSE 94640/, 'EXPOSE 9464', 'EXPOSE 94640'],
  [/SHELL/, 'STOPSIGNAL SIGTERM', 'SHELL ["/bin/sh", "-c"]'],
  // What the validator says by itself, errors and warnings.
  [/^line 15: Unknown instruction: WORKDRI/, 'WORKDIR', 'WORKDRI'],
  [/^line \d+: Instruction.*uppercase/i, 'WORKDIR /build', 'workdir /build'],
  [/^line \d+: .*absolute/i, 'WORKDIR /build', 'WORKDIR build'],
  [/^line \d+: .*only be one CMD/, 'CMD ["run"]', 'CMD ["run"]\nCMD ["drain"]'],
  [/^line \d+: .*port/i, 'EXPOSE 9464', 'EXPOSE http'],
  [/^line \d+: .*two arguments/, 'COPY . .', 'COPY .'],
])('the linter finds %s where "%s" is "%s"', (fault, from, to) => {
  const faulty = dockerfile.replace(from, to);
  expect(faulty).not.toBe(dockerfile);
  expect(dockerfileFaults(faulty)).toEqual([expect.stringMatching(fault)]);
});
