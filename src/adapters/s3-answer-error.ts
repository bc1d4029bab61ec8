import type { Answer } from './s3-exchange.ts';

/** An error answer in the shape of the SDK's own, so that one table reads both. */
export class S3AnswerError extends Error {
  override readonly name: string;
  readonly $metadata: { readonly httpStatusCode: number };
  readonly $response: { readonly headers: Answer['headers'] };
  /** The server's own time, where it refused a request for ours. */
  readonly ServerTime: string | undefined;

  constructor({ status, headers, body }: Answer) {
    super(textOf(body, 'Message') ?? '');
    this.name = textOf(body, 'Code') ?? 'Unknown';
    this.$metadata = { httpStatusCode: status };
    this.$response = { headers };
    this.ServerTime = textOf(body, 'ServerTime');
  }
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Of the flat XML that S3's errors are; whatever else a body is, nothing is found in it. */
function textOf(body: string, element: string): string | undefined {
  const inside = new RegExp(`<Error>[^]*?<${element}>([^<]*)</${element}>`).exec(body)?.[1];
  return inside?.replace(/&(lt|gt|amp|quot|apos);/g, (_, name: string) => entities[name] ?? '').trim();
}
