import type { Option } from './option.ts';
import { tags } from './option-types.ts';
import { checkListen, checkSchedule } from './text-checks.ts';
import { checkedText, duration, neverOr, oneOf, text } from './value-types.ts';

/** What people and machines are told of it, and how the bucket is to be. */
export const reportOptions = {
  'report.schedule': {
    type: checkedText('a cron expression of five fields such as */5 * * * *', checkSchedule),
    default: '*/5 * * * *',
    doc: 'When to report backlog and credentials, in the time zone of the host; up to half a minute later by a hash of the host',
  },
  'report.backlogAgeWarn': {
    type: duration('10s', '365d', '15m'),
    default: '15m',
    doc: 'Warn when something waits to be sent and nothing has moved for this long; critical at four times as long',
  },
  'report.credentialExpiryWarn': {
    type: duration('1m', '3650d', '24h'),
    default: '24h',
    doc: 'Warn this long before credentials expire that cannot renew themselves',
  },
  'http.listen': {
    type: checkedText('off, or an address and a port such as 127.0.0.1:9464 or [::]:9464', checkListen),
    default: '127.0.0.1:9464',
    doc: 'Where health, metrics and the status page are served; a port that is taken is a warning',
  },
  'http.pages': {
    type: oneOf('loopback', 'all'),
    default: 'loopback',
    doc: 'Whether the status page is served to others than this host; health and metrics always are',
  },
  'bucket.tags': {
    type: tags,
    default: {},
    doc: 'Tags that `trainlogd bucket apply` gives the bucket, such as team: vision',
  },
  'bucket.accessLogBucket': {
    type: text('the name of a bucket', /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
    example: 'your-company-training-logs-access-logs',
    doc: 'Bucket that `trainlogd bucket apply` has the access log written to',
  },
  'bucket.expireAfter': {
    type: neverOr(duration('1d', '36500d', '365d')),
    default: '365d',
    doc: 'Age at which the lifecycle rule of `trainlogd bucket apply` deletes logs; whole days, or never',
  },
} satisfies Record<string, Option<unknown>>;
