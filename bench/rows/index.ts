import type { Row } from '../bench.ts';
import { ceph } from './ceph.ts';
import { idle } from './idle.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { pages } from './pages.ts';
import { sessions } from './sessions.ts';
import { startUp } from './start.ts';
import { throughputHttp, throughputHttps } from './throughput.ts';

export const rows: readonly Row[] = [
  throughputHttp,
  throughputHttps,
  sessions,
  ceph,
  memory,
  idle,
  startUp,
  latency,
  pages,
];
