import { stat } from 'node:fs/promises';

/** A text that is another one when a file was written, replaced, removed, or came into being. Never rejects. */
export async function changeMark(files: readonly string[]): Promise<string> {
  return (await Promise.all(files.map(markOf))).join(' ');
}

/** Links are followed: what Kubernetes mounts changes by exchanging a link. Reading it will say why it cannot be read. */
async function markOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  }
}
