import { baseName } from '../../domain/watched-path.ts';
import type { FileInfo } from '../reader.ts';

/** What a program still writes while it ends: logs flushed, trackers closed. */
export const closingMs = 60_000;

/** Weights, events, logs, tables of metrics; not notes, plots and results that somebody adds afterwards. */
const weights = /\.(?:pt|pth|ckpt|safetensors|bin|distcp|h5|keras)$/i;
const record =
  /tfevents|\.(?:log|out|err|wandb)$|^(?:metrics|results)\.csv$|^(?:trainer_log|metrics)\.jsonl$/i;
const textLog = /^(?:std(?:out|err)|output|console|nohup|log|train(?:ing)?)[\w.-]{0,80}\.txt$/i;
const written = [weights, record, textLog];

/**
 * Was something that a training writes written well after `evidenceAtMs`? Then the evidence belongs to an earlier run in
 * the same directory, or what it tells was survived.
 */
export function wentOnAfter(evidenceAtMs: number, files: readonly FileInfo[]): boolean {
  return files.some(
    ({ path, modifiedAtMs }) =>
      modifiedAtMs > evidenceAtMs + closingMs && written.some((pattern) => pattern.test(baseName(path))),
  );
}
