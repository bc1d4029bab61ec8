import { expect, test } from 'vitest';
import { makePlace, startAgent } from '../support/agent.ts';
import { blackHole } from '../support/black-hole.ts';
import { eventually } from '../support/eventually.ts';
import { makeHealthy } from '../support/hostile.ts';

/** Longer than the agent waits for a connection. */
const timeoutMs = 25_000;

test('the log says that packets are lost, and where to look', { timeout: timeoutMs }, async () => {
  const place = await makePlace();
  await makeHealthy(place);
  const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
  const env = {
    TRAINLOGD_DESTINATION_URL: 's3://bucket',
    TRAINLOGD_HTTP_LISTEN: 'off',
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await blackHole()}`,
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: secret,
  };
  const run = startAgent(place, ['run'], { env });
  const told = () => run.told().find(({ event }) => event === 'destination.blocked');
  const line = await eventually(told, { timeoutMs, everyMs: 100 });
  run.signal('SIGTERM');
  run.signal('SIGTERM');
  await run.ended;
  expect(line).toMatchObject({
    code: 'ConnectTimeout',
    remedy: 'check the network, DNS, proxy and firewall of this host',
  });
  expect(run.stderr()).not.toContain(secret.slice(0, 12));
});
