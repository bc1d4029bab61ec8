import { baseName } from '../domain/watched-path.ts';
import type { FileInfo } from './reader.ts';

/** What a program still writes while it ends: logs flushed, trackers closed. */
export const closingMs = 60_000;

const written =
  /\.(?:log|out|err|txt|csv|jsonl?|wandb|pt|pth|ckpt|safetensors|bin|npz|h5|keras|distcp)$|tfevents/i;

/**
 * Was something that a training writes written well after `evidenceAtMs`? Then the evidence belongs to an earlier run in
 * the same directory, or what it tells was survived.
 */
export function wentOnAfter(evidenceAtMs: number, files: readonly FileInfo[]): boolean {
  return files.some(
    ({ path, modifiedAtMs }) => modifiedAtMs > evidenceAtMs + closingMs && written.test(baseName(path)),
  );
}
