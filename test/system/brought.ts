import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestBucket } from '../support/s3-bucket.ts';

const project = join(import.meta.dirname, '..', '..');

/** A session that has ended: its directory, and the sizes of its files. */
export interface Trained {
  readonly name: string;
  readonly fileBytes: readonly number[];
}

export function manySmall(sessions: number, filesEach: number): Trained[] {
  const fileBytes = Array.from({ length: filesEach }, () => 6 * 1024);
  return Array.from({ length: sessions }, (_, n) => ({ name: `many-${n}`, fileBytes }));
}

/** The package, compressed fast; its directory is the caller's to delete. */
export function buildPackage(): { readonly directory: string; readonly file: string } {
  const directory = mkdtempSync(join(tmpdir(), 'trainlogd-package-'));
  const args = ['config/package/deb.ts', '--out', directory, '--compression', 'gzip'];
  execFileSync(process.execPath, args, { cwd: project, stdio: 'pipe' });
  const name = readdirSync(directory).find((file) => file.endsWith('.deb'));
  if (name === undefined) throw new Error(`no package was made in "${directory}"`);
  return { directory, file: join(directory, name) };
}

/** Every file is another one. */
export function layTraining(directory: string, sessions: readonly Trained[]): void {
  for (const { name, fileBytes } of sessions) {
    const session = join(directory, name);
    mkdirSync(session, { recursive: true });
    for (const [n, size] of fileBytes.entries()) writeFileSync(join(session, `part-${n}`), randomBytes(size));
    writeFileSync(join(session, '_SUCCESS'), '');
  }
}

/** For a machine to which package and training were brought: installs and configures, starts nothing. */
export function installed({ bucket, region, uploader }: TestBucket, endpoint: string): string {
  return `
dpkg -i /brought/trainlogd.deb
useradd -m alice; chmod 700 /home/alice
mv /brought/training /home/alice/outputs; chown -R alice: /home/alice/outputs; chmod 700 /home/alice/outputs
printf 'watch:\\n  directory: /home/alice/outputs\\nprobes:\\n  cloudMetadata: off\\n' > /etc/trainlogd/config.yaml
cat > /etc/trainlogd/trainlogd.env <<VARIABLES
S3_BUCKET_NAME=${bucket}
AWS_ENDPOINT_URL_S3=${endpoint}
AWS_REGION=${region}
AWS_ACCESS_KEY_ID=${uploader.accessKeyId}
AWS_SECRET_ACCESS_KEY=${uploader.secretAccessKey}
VARIABLES
`;
}
