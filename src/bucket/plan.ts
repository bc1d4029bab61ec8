import type {
  AccessLog,
  BucketSettings,
  BucketState,
  LogTarget,
  PublicAccess,
  Read,
  SettingName,
} from '../ports/bucket-admin.ts';
import { compareLogTarget } from './access-log.ts';
import type { DesiredState } from './desired-state.ts';
import { compareEncryption } from './encryption.ts';
import { compareLifecycle } from './lifecycle.ts';
import { type Compared, differs, kept, lacking, right, unchanged, withheld } from './line.ts';
import { accessFlags, accessLogText, accessText, encryptionText, flagsText, tagsText } from './words.ts';

/** What differs between a bucket and what it shall be, and the changes that make it so, in their order. */
export type Plan = Compared;

const blank: BucketState = {
  publicAccess: { value: undefined },
  ownership: { value: undefined },
  versioning: { value: undefined },
  encryption: { value: undefined },
  lifecycle: { value: undefined },
  accessLog: { value: undefined },
  tags: { value: undefined },
};

/** `state` and `target` are undefined where there is no such bucket. */
export function planBucket(
  want: DesiredState,
  state: BucketState | undefined,
  target: LogTarget | undefined,
): Plan {
  const have = state ?? blank;
  const compared: readonly Compared[] = [
    state === undefined ? creation(want) : { lines: [], changes: [] },
    known('public access', have.publicAccess, 'all four blocks', (access) => publicAccess(want, access)),
    known('object ownership', have.ownership, want.ownership, (owner) => ownership(want.ownership, owner)),
    known('versioning', have.versioning, 'on', versioning),
    known('encryption', have.encryption, encryptionText(want.encryption), (is) =>
      compareEncryption(want.encryption, is),
    ),
    known('lifecycle', have.lifecycle, 'rules for logs', (is) =>
      want.lifecycle.prefix === '' ? unchanged(ofWholeBucket) : compareLifecycle(want.lifecycle, is),
    ),
    want.isAws ? { lines: [], changes: [] } : unchanged(storageClasses),
    accessLogging(want, have, target),
    known('tags', have.tags, tagsText(want.tags), (tags) => tagging(want.tags, tags)),
  ];
  return {
    lines: compared.flatMap(({ lines }) => lines),
    changes: compared.flatMap(({ changes }) => changes),
  };
}

export function differences({ lines }: Pick<Plan, 'lines'>): number {
  return lines.filter(({ state }) => state === 'differs').length;
}

function creation({ bucket, region }: DesiredState): Compared {
  const line = differs('bucket', 'there is none', `${JSON.stringify(bucket)} in ${region}`);
  return { lines: [line], changes: [{ setting: 'bucket' }] };
}

function known<T extends BucketSettings[SettingName]>(
  setting: string,
  read: Read<T>,
  want: string,
  compare: (have: T | undefined) => Compared,
): Compared {
  return 'lacking' in read ? unchanged(lacking(setting, want, read.lacking)) : compare(read.value);
}

const open: PublicAccess = {
  blockPublicAcls: false,
  ignorePublicAcls: false,
  blockPublicPolicy: false,
  restrictPublicBuckets: false,
};

/**
 * Ceph 16 takes these two for more than they say: the first refuses every upload, the second every bucket policy, by
 * which alone an agent is let in there. The other two make public ACLs and policies count for nothing.
 */
const harmfulElsewhere = ['blockPublicAcls', 'blockPublicPolicy'] as const;
const whyWithheld =
  'on servers that are not AWS this can refuse every upload (403) or every bucket policy; the other blocks make public ACLs and policies ineffective';

function publicAccess({ isAws, publicAccess: want }: DesiredState, have = open): Compared {
  const setting = 'public access';
  const left: readonly (keyof PublicAccess)[] = isAws ? [] : harmfulElsewhere;
  const merge = (flag: keyof PublicAccess) => have[flag] || (want[flag] && !left.includes(flag));
  const next = Object.fromEntries(accessFlags.map((flag) => [flag, merge(flag)])) as unknown as PublicAccess;
  const not = left.filter((flag) => !have[flag]);
  const already = left.filter((flag) => have[flag]);
  const others = [
    ...(not.length === 0 ? [] : [withheld(setting, flagsText(not), whyWithheld)]),
    ...(already.length === 0
      ? []
      : [kept(setting, flagsText(already), 'off on this endpoint', `stricter; but ${whyWithheld}`)]),
  ];
  if (accessFlags.every((flag) => next[flag] === have[flag]))
    return unchanged(right(setting, accessText(have)), ...others);
  const line = differs(setting, accessText(have), accessText(next));
  return { lines: [line, ...others], changes: [{ setting: 'publicAccess', value: next }] };
}

function ownership(want: DesiredState['ownership'], have: string | undefined): Compared {
  const setting = 'object ownership';
  if (have === want) return unchanged(right(setting, have));
  const line = differs(setting, have ?? 'not set, ACLs count', want);
  return { lines: [line], changes: [{ setting: 'ownership', value: want }] };
}

function versioning(have: BucketSettings['versioning'] | undefined): Compared {
  if (have === 'Enabled') return unchanged(right('versioning', 'on'));
  const line = differs('versioning', have === undefined ? 'off' : 'suspended', 'on');
  return { lines: [line], changes: [{ setting: 'versioning', value: 'Enabled' }] };
}

/** Nobody asked for what lies beside the logs to be moved and deleted. */
const ofWholeBucket = withheld(
  'lifecycle',
  'rules for logs',
  'destination.keyTemplate begins with a placeholder: a rule for the logs would be one for all that is in the bucket; give the keys a prefix of their own, such as training-logs/, or make the rules by hand',
);

const storageClasses = {
  setting: 'storage classes',
  state: 'note',
  why: 'a server that is not AWS may lack STANDARD_IA and GLACIER without saying so: then objects stay where they are, and are deleted on their day all the same',
} as const;

function accessLogging(want: DesiredState, have: BucketState, target: LogTarget | undefined): Compared {
  const { accessLog } = want;
  if (accessLog === undefined) return { lines: [], changes: [] };
  const wanted = accessLogText(accessLog);
  if (!want.isAws)
    return unchanged(
      lacking('access log', wanted, 'the logging service of S3 is of AWS alone: nothing was asked for'),
    );
  const is = 'value' in have.accessLog ? have.accessLog.value : undefined;
  // Logs that come there already keep their prefix, and it is that one that must be let in.
  const place = compareLogTarget(want, is?.bucket === accessLog.bucket ? is : accessLog, target);
  const log = known('access log', have.accessLog, wanted, () => logging(accessLog, is));
  return { lines: [...place.lines, ...log.lines], changes: [...place.changes, ...log.changes] };
}

/** In the bucket that was asked for, under whatever prefix. */
function logging(want: AccessLog, have: AccessLog | undefined): Compared {
  if (have?.bucket === want.bucket) return unchanged(right('access log', accessLogText(have)));
  const line = differs('access log', have === undefined ? 'off' : accessLogText(have), accessLogText(want));
  return { lines: [line], changes: [{ setting: 'accessLog', value: want }] };
}

function tagging(
  want: Readonly<Record<string, string>>,
  have: Readonly<Record<string, string>> = {},
): Compared {
  const other = Object.fromEntries(Object.entries(want).filter(([name, value]) => have[name] !== value));
  const ours = Object.fromEntries(Object.entries(have).filter(([name]) => name in want));
  if (Object.keys(want).length === 0) return { lines: [], changes: [] };
  if (Object.keys(other).length === 0) return unchanged(right('tags', tagsText(ours)));
  const line = differs('tags', tagsText(ours), tagsText(want));
  return { lines: [line], changes: [{ setting: 'tags', value: { ...have, ...want } }] };
}
