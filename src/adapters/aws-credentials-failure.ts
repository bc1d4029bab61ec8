import { Failure } from '../domain/failure.ts';
import { readError, withoutDetails } from './s3-error.ts';

export interface SourceProblem {
  /** In words, as status shows it. */
  readonly source: string;
  readonly remedy: string;
  readonly code?: string;
}

/** What a source of credentials said, as what keeps every request from being sent: no attempt of a file is spent on it. */
export function sourceFailure(error: unknown, { source, remedy, code }: SourceProblem): Failure {
  const { codes, status, message } = readError(error);
  const answered = status === undefined ? '' : ` (HTTP ${status})`;
  return new Failure({
    kind: 'blocked',
    code: code ?? codes.find((found) => !found.startsWith('HTTP ')) ?? 'CredentialsProviderError',
    attempted: `getting credentials from ${source}${answered}: ${wordsOf(message)}`,
    remedy,
    // A process that failed has its command line and all that it wrote in the message.
    ...(isProcess(message) ? {} : { cause: withoutDetails(error) }),
  });
}

function wordsOf(message: string): string {
  if (isProcess(message)) return 'the process failed';
  return message === '' ? 'it gave none' : message;
}

function isProcess(message: string): boolean {
  return message.startsWith('Command failed');
}

/** Nothing answers where instances have their metadata, or it knows no role: this is no instance with a role. */
export function instanceAbsence(error: unknown): string | undefined {
  const { codes, message } = readError(error);
  const status =
    typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined;
  if (status === 404) return 'instance role: this instance has none';
  if (status !== undefined) return undefined;
  const network = codes.find((code) => /^E[A-Z]+$/.test(code));
  if (network !== undefined) return `instance role: the metadata service does not answer, ${network}`;
  return /TimeoutError|Unable to connect/.test(message)
    ? 'instance role: the metadata service does not answer'
    : undefined;
}
