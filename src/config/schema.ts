import { folderOptions } from './folder-options.ts';
import type { Option } from './option.ts';
import { name, path, pod } from './option-types.ts';
import { probeOptions } from './probe-options.ts';
import { reportOptions } from './report-options.ts';
import { shippingOptions } from './shipping-options.ts';
import type { Plain, ValueType } from './value-types.ts';
import { duration, number, oneOf, text } from './value-types.ts';

export type { Config, Destination, DirectoryDestination, S3Destination } from './config.ts';
export type { Option } from './option.ts';

export const options = {
  ...folderOptions,
  ...shippingOptions,
  'state.directory': {
    type: path,
    computed:
      '$STATE_DIRECTORY, /var/lib/trainlogd as root, else trainlogd/HOST/HASH-OF-FOLDER under $XDG_STATE_HOME or ~/.local/state',
    example: '/var/lib/trainlogd',
    doc: 'Where the journal is kept: on a local disk, outside the watched folder',
  },
  'retention.localFiles': {
    type: oneOf('keep', 'delete'),
    default: 'keep',
    doc: 'Whether shipped and verified files stay on the local disk',
  },
  'retention.keepFor': {
    type: duration('0s', '3650d', '7d'),
    default: '7d',
    doc: 'How long a file stays after its receipt, with localFiles: delete',
  },
  'drain.timeout': {
    type: duration('100ms', '24h', '25s'),
    default: '25s',
    doc: 'How long a stop may take to ship what is there',
  },
  'defaults.user': { type: name, example: 'ada', doc: 'User name of sessions that name none' },
  'defaults.pod': {
    type: pod,
    example: { provider: 'aws', gpuType: 'H100', gpuCount: 8 },
    doc: 'Pod fields of sessions that do not tell them: id, provider, gpuType, gpuCount',
  },
  'defaults.costPerHour': {
    type: number(0, 1_000_000),
    example: 12.5,
    doc: 'Cost of an hour of the whole pod where a session does not tell it',
  },
  'defaults.currency': {
    type: text('three capital letters such as USD', /^[A-Z]{3}$/),
    example: 'USD',
    doc: 'Currency of costs where a session does not tell it',
  },
  ...probeOptions,
  ...reportOptions,
  'log.level': {
    type: oneOf('error', 'warn', 'info', 'debug'),
    default: 'info',
    doc: 'The least important line shown',
  },
  'log.format': {
    type: oneOf('auto', 'text', 'json'),
    default: 'auto',
    doc: 'How lines are written; auto is text on a terminal and JSON elsewhere',
  },
} satisfies Record<string, Option<unknown>>;

export type OptionKey = keyof typeof options;
type ValueOf<O> = O extends { type: ValueType<infer T>; default: Plain }
  ? T
  : O extends { type: ValueType<infer T> }
    ? T | undefined
    : never;
/** What the options mean once read, by key: units as in their types, unset ones undefined. */
export type Values = { readonly [Key in OptionKey]: ValueOf<(typeof options)[Key]> };

export const optionKeys = Object.keys(options).filter(isOptionKey);

export function isOptionKey(key: string): key is OptionKey {
  return Object.hasOwn(options, key);
}

/** The declaration without the type of its value, for code that treats all options alike. */
export function optionOf(key: OptionKey): Option<unknown> {
  return options[key];
}

/** `destination.pathStyle` is `TRAINLOGD_DESTINATION_PATH_STYLE`. */
export function variableOf(key: OptionKey): string {
  return `TRAINLOGD_${key
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase()}`;
}
