/** What is sent back; the headers that all answers share are the server's. */
export interface Answer {
  readonly status: number;
  readonly type: 'html' | 'text' | 'json' | 'metrics' | 'css' | 'script';
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** It never changes at this address. */
  readonly isLasting?: boolean;
}

export const contentTypes: Readonly<Record<Answer['type'], string>> = {
  html: 'text/html; charset=utf-8',
  text: 'text/plain; charset=utf-8',
  json: 'application/json; charset=utf-8',
  metrics: 'text/plain; version=0.0.4; charset=utf-8',
  css: 'text/css; charset=utf-8',
  script: 'text/javascript; charset=utf-8',
};

export function json(value: unknown): Answer {
  return { status: 200, type: 'json', body: `${JSON.stringify(value)}\n` };
}

export function plain(status: number, text: string, headers?: Answer['headers']): Answer {
  return { status, type: 'text', body: `${text}\n`, ...(headers && { headers }) };
}
