import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { optionKeys, variableOf } from '../../src/config/schema.ts';

const systemd = join(import.meta.dirname, '..', '..', 'systemd');
const read = (name: string) => readFileSync(join(systemd, name), 'utf8');
const settings = (text: string) => text.split('\n').filter((line) => /^[A-Z][A-Za-z]*=/.test(line));

/** systemd has no way to include one unit in another. */
test('the unit for several folders differs from the other in names alone', () => {
  const [one, many] = [settings(read('trainlogd.service')), settings(read('trainlogd@.service'))];
  expect(many.map((line) => line.split('=')[0])).toEqual(one.map((line) => line.split('=')[0]));
  const differing = one.filter((line, at) => many[at] !== line).map((line) => line.split('=')[0]);
  expect(differing).toEqual(['Description', 'ExecStart', 'LoadCredential', 'Environment', 'StateDirectory']);
});

test('the unit gives what its comments promise', () => {
  const unit = settings(read('trainlogd.service'));
  for (const setting of [
    'Type=notify',
    'NotifyAccess=main',
    'ProtectProc=invisible',
    'Restart=always',
    'StartLimitIntervalSec=0',
    'SuccessExitStatus=75',
    'CapabilityBoundingSet=CAP_DAC_READ_SEARCH',
    'AmbientCapabilities=CAP_DAC_READ_SEARCH',
    'LimitCORE=0',
    'LoadCredential=trainlogd.env:/etc/trainlogd/trainlogd.env',
  ])
    expect(unit).toContain(setting);
});

test('the units ask nothing of systemd that is younger than 247, as %d for the credentials is', () => {
  for (const name of ['trainlogd.service', 'trainlogd@.service']) {
    const started = settings(read(name)).filter((line) => line.startsWith('ExecStart='));
    expect(started.join()).toMatch(/ --env-file \$\{CREDENTIALS_DIRECTORY\}\/trainlogd\.env$/);
    expect(read(name)).not.toMatch(/%d/);
  }
});

test('drop-ins name variables that exist, and sections', () => {
  const known = optionKeys.map(variableOf);
  for (const name of readdirSync(join(systemd, 'examples'))) {
    const text = read(join('examples', name));
    for (const [variable] of text.matchAll(/\bTRAINLOGD_[A-Z_]+/g)) expect(known).toContain(variable);
    expect(text).toMatch(/^\[Service\]$/m);
  }
});
