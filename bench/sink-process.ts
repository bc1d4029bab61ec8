import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Certificate } from './certificate.ts';

export interface SinkReport {
  readonly requests: Readonly<Record<string, number>>;
  readonly objects: number;
  readonly objectBytes: number;
  readonly receivedBytes: number;
  readonly openUploads: number;
  readonly cpuSeconds: number;
}

/** The server that everything is sent to, in a process of its own. */
export interface Sink {
  readonly endpoint: string;
  readonly certificate: Certificate | undefined;
  /** Empties it; for what comes then, checksums of large bodies are checked, or their ETags made, only if asked for. */
  reset(sums?: { verify?: boolean; etags?: boolean }): Promise<void>;
  report(): Promise<SinkReport>;
  /** The bytes of a small object; undefined while it is not there. */
  object(key: string): Promise<string | undefined>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startSink(certificate?: Certificate): Promise<Sink> {
  const files = certificate ? [certificate.keyFile, certificate.certificateFile] : [];
  const child = spawn(process.execPath, [join(import.meta.dirname, 'sink', 'server.ts'), ...files], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [first] = (await once(child.stdout, 'data')) as [Buffer];
  const endpoint = `${certificate ? 'https' : 'http'}://127.0.0.1:${first.toString().trim()}`;
  const ask = async (method: string, path: string): Promise<string> => {
    const trust = certificate ? { ca: certificate.authority } : {};
    const asked = (certificate ? tlsRequest : request)(`${endpoint}/-/${path}`, { method, ...trust });
    asked.end();
    const [answer] = await once(asked, 'response');
    return text(answer);
  };
  return {
    endpoint,
    certificate,
    reset: async ({ verify = false, etags = false } = {}) => {
      await ask('POST', `reset?${verify ? 'verify&' : ''}${etags ? 'etags' : ''}`);
    },
    report: async () => JSON.parse(await ask('GET', 'report')) as SinkReport,
    object: async (key) => (await ask('GET', `object?key=${encodeURIComponent(key)}`)) || undefined,
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}
