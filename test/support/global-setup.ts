import { acquireS3Server } from './s3-server.ts';

/** Gives every test the S3 server, or says once why its suites are skipped. Workers inherit `process.env`. */
export default async function setup(): Promise<() => void> {
  const server = await acquireS3Server(process.env);
  if (server.available) {
    Object.assign(process.env, server.env);
    return server.release;
  }
  if (process.env['TRAINLOGD_TEST_REQUIRE_S3'] === '1') {
    throw new Error(`TRAINLOGD_TEST_REQUIRE_S3=1, and there is no S3 server: ${server.reason}`);
  }
  process.stderr.write(`S3 suites are skipped: ${server.reason}\n`);
  return () => {};
}
