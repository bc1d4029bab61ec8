import { defaultExcludes } from './default-globs.ts';
import type { Option } from './option.ts';
import { excludes, globs, path } from './option-types.ts';
import { checkGlob } from './text-checks.ts';
import { autoOr, autoOrBoolean, checkedText, duration, oneOf, size } from './value-types.ts';

/** What is watched, and what of it belongs into the bucket. */
export const folderOptions = {
  'watch.directory': {
    type: path,
    default: './training-output',
    doc: 'The folder that trainers write their sessions into',
  },
  'watch.sessions': {
    type: autoOr(checkedText('a glob relative to the folder such as runs/*/*/', checkGlob)),
    default: 'auto',
    doc: 'Where sessions start below the folder: recognised by their files, or every directory that a glob matches (*/*/ for Hydra)',
  },
  'watch.shared': {
    type: autoOrBoolean(),
    default: 'auto',
    doc: 'Several hosts watch this folder and one of them ships each session; auto does so on network file systems',
  },
  'watch.polling': {
    type: autoOrBoolean(),
    default: 'auto',
    doc: 'Compare the folder at intervals in place of kernel events; auto does so on network file systems',
  },
  'watch.settle': {
    type: autoOr(duration('10ms', '1h', '2s')),
    default: 'auto',
    doc: 'How long a file must rest before it is read; auto is 2s, on network file systems 2m',
  },
  'watch.rescan': {
    type: autoOr(duration('100ms', '24h', '1m')),
    default: 'auto',
    doc: 'How often the whole folder is compared with what is known; auto is 1m, on network file systems 10m',
  },
  'watch.idle': {
    type: duration('100ms', '365d', '2h'),
    default: '2h',
    doc: 'Silence after which a session without other evidence counts as stalled',
  },
  'watch.ignoreOlderThan': {
    type: duration('1s', '36500d', '7d'),
    default: '7d',
    doc: 'At the first start on a folder, sessions without a change for this long are left to `trainlogd backfill`',
  },
  'companions.include': {
    type: globs,
    default: ['**'],
    doc: 'Files of a session that are shipped beside its log; globs are relative to the session',
  },
  'companions.exclude': {
    type: excludes,
    default: defaultExcludes,
    doc: 'Files that are counted and left: weights, checkpoints, caches. +GLOB adds to this list, a plain list replaces it',
  },
  'companions.bytesMax': {
    type: size('1B', '5TiB', '10GiB'),
    default: '10GiB',
    doc: 'Larger files are named in the log and not shipped',
  },
  'companions.compression': {
    type: oneOf('none', 'gzip', 'zstd'),
    default: 'none',
    doc: 'Compress files of ended sessions on their way; their keys end in .gz or .zst',
  },
  'sessionLog.bytesMax': {
    type: size('64KiB', '256MiB', '8MiB'),
    default: '8MiB',
    doc: 'The largest session log; what does not fit is thinned out, and the log says so',
  },
  'sessionLog.snapshotEvery': {
    type: duration('1s', '24h', '5m'),
    default: '5m',
    doc: 'How often a running session is put into the bucket as it is, in its first hour; later the pause doubles up to 1h',
  },
} satisfies Record<string, Option<unknown>>;
