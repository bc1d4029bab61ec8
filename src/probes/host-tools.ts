/** How a probe asks the machine. Everything is bounded in time and bytes, nothing ever throws. */
export interface HostTools {
  readonly hostName: string;
  /** The standard output of a program that ended well; undefined where it is absent, fails, hangs or talks too much. */
  run(program: string, args: readonly string[]): Promise<string | undefined>;
  /** The beginning of a small file of the system; undefined where it cannot be read. */
  read(path: string): Promise<string | undefined>;
  /** Redirects are not followed. Without TLS only addresses are asked that no router passes on. */
  request(request: HttpRequest): Promise<HttpAnswer>;
}

export interface HttpRequest {
  readonly method: 'GET' | 'PUT';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type HttpAnswer =
  | { readonly status: number; readonly body: string }
  /** Holds neither headers nor body. */
  | { readonly problem: string };

export function bodyOf(answer: HttpAnswer): string | undefined {
  return 'body' in answer && answer.status === 200 ? answer.body : undefined;
}
