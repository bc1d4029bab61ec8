import { errorAnswer, type ScriptedAnswer, type ScriptedRequest, scriptedS3 } from './scripted-s3.ts';

/** What AWS answers where a setting was never made, by the question. */
const unset: Readonly<Record<string, string>> = {
  publicAccessBlock: 'NoSuchPublicAccessBlockConfiguration',
  ownershipControls: 'OwnershipControlsNotFoundError',
  encryption: 'ServerSideEncryptionConfigurationNotFoundError',
  lifecycle: 'NoSuchLifecycleConfiguration',
  tagging: 'NoSuchTagSet',
  policy: 'NoSuchBucketPolicy',
};

export type Exception = (request: ScriptedRequest, question: string) => ScriptedAnswer | undefined;

export interface ScriptedBuckets {
  readonly endpoint: string;
  readonly requests: readonly ScriptedRequest[];
  /** The documents of each bucket that is there, by the question that gives them. */
  readonly buckets: Map<string, Map<string, string>>;
}

/**
 * Buckets that keep the settings they are given, as AWS does, and refuse what it refuses: the documents that are put
 * are those that are got. `exception` goes first.
 */
export async function scriptedBuckets(
  region: string,
  exception: Exception = () => undefined,
): Promise<ScriptedBuckets> {
  const buckets = new Map<string, Map<string, string>>();
  const answer = (request: ScriptedRequest): ScriptedAnswer => {
    const { pathname, searchParams } = new URL(request.url, 'http://host');
    const bucket = pathname.replaceAll('/', '');
    const question = [...searchParams.keys()].find((name) => name !== 'x-id') ?? '';
    const excepted = exception(request, question);
    if (excepted !== undefined) return excepted;
    if (request.method === 'PUT' && question === '')
      return create(bucket, request.body.toString(), region, buckets);
    const settings = buckets.get(bucket);
    if (settings === undefined) return errorAnswer(404, 'NoSuchBucket');
    return request.method === 'GET' ? get(settings, question) : put(buckets, settings, question, request);
  };
  return { ...(await scriptedS3(answer)), buckets };
}

function create(
  bucket: string,
  body: string,
  region: string,
  buckets: Map<string, Map<string, string>>,
): ScriptedAnswer {
  const named = /<LocationConstraint>(.*?)<\/LocationConstraint>/.exec(body)?.[1];
  const isRight = named === (region === 'us-east-1' ? undefined : region);
  if (!isRight) return errorAnswer(400, 'InvalidLocationConstraint');
  if (buckets.has(bucket)) return errorAnswer(409, 'BucketAlreadyOwnedByYou');
  buckets.set(bucket, new Map());
  return { status: 200 };
}

function get(settings: ReadonlyMap<string, string>, question: string): ScriptedAnswer {
  const body = settings.get(question);
  if (body !== undefined) return { status: 200, body };
  const code = unset[question];
  if (code !== undefined) return errorAnswer(404, code);
  const empty = question === 'versioning' ? 'VersioningConfiguration' : 'BucketLoggingStatus';
  return { status: 200, body: `<${empty}/>` };
}

function put(
  buckets: ReadonlyMap<string, ReadonlyMap<string, string>>,
  settings: Map<string, string>,
  question: string,
  { body }: ScriptedRequest,
): ScriptedAnswer {
  const text = body.toString();
  const code =
    question === 'lifecycle'
      ? lifecycleRefusal(text)
      : question === 'logging'
        ? logRefusal(text, buckets)
        : undefined;
  if (code !== undefined) return errorAnswer(400, code);
  settings.set(question, text);
  return { status: 200 };
}

/** The rules of AWS that a rule of ours could break. */
function lifecycleRefusal(text: string): string | undefined {
  for (const [rule] of text.matchAll(/<Rule>.*?<\/Rule>/gs)) {
    const expiry = /<Expiration>(.*?)<\/Expiration>/s.exec(rule)?.[1] ?? '';
    const days = Number(/<Days>(\d+)/.exec(expiry)?.[1] ?? Number.POSITIVE_INFINITY);
    if (/ExpiredObjectDeleteMarker/.test(expiry) && days !== Number.POSITIVE_INFINITY) return 'MalformedXML';
    const moves = [...rule.matchAll(/<Transition>(.*?)<\/Transition>/gs)].map(([, move = '']) => move);
    for (const move of moves) {
      const moved = Number(/<Days>(\d+)/.exec(move)?.[1]);
      if (moved >= days || (/STANDARD_IA/.test(move) && moved < 30)) return 'InvalidArgument';
    }
    if (!/<Filter\s*\/?>/.test(rule)) return 'MalformedXML';
  }
  return undefined;
}

/** Where ACLs do not count, the bucket of the logs has to say by its policy that they may come. */
function logRefusal(
  text: string,
  buckets: ReadonlyMap<string, ReadonlyMap<string, string>>,
): string | undefined {
  const target = /<TargetBucket>(.*?)<\/TargetBucket>/.exec(text)?.[1] ?? '';
  const isLetIn = buckets.get(target)?.get('policy')?.includes('"logging.s3.amazonaws.com"') === true;
  return isLetIn ? undefined : 'InvalidTargetBucketForLogging';
}
