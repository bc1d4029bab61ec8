import {
  constantLayout,
  growingLayout,
  type PartLayout,
  partBytesMin,
  partsMax,
} from '../domain/part-layout.ts';
import type { S3Destination } from './s3-client.ts';

/** How new uploads are cut. */
export interface LayoutChoice {
  readonly current: PartLayout;
  /** The server refused to make an object of parts that it had taken. */
  refused(): void;
}

export interface EndpointLayoutOptions {
  readonly destination: Pick<S3Destination, 'bucket' | 'endpoint'>;
  readonly partSizeBytes: number;
  readonly objectBytesMax?: number | undefined;
  readonly isAws: boolean;
  readonly recall: (name: string) => string | undefined;
  readonly remember: (name: string, value: string) => void;
}

const alike = 'constant';

/**
 * Parts that grow, but on endpoints that want all but the last one alike: known by their name, or by a refusal, which
 * is remembered for all lives to come. AWS takes parts of any size: a refusal there says something else.
 */
export class EndpointLayout implements LayoutChoice {
  readonly #options: EndpointLayoutOptions;
  #isAlike: boolean;

  /** Throws when S3 would take no part of this size. */
  constructor(options: EndpointLayoutOptions) {
    const { destination, partSizeBytes, isAws, recall } = options;
    if (partSizeBytes < partBytesMin) {
      throw new Error(`opening S3: partSizeBytes is ${partSizeBytes}, S3 takes no less than ${partBytesMin}`);
    }
    this.#options = options;
    const host = destination.endpoint === undefined ? '' : new URL(destination.endpoint).hostname;
    const isKnown = host.endsWith('.r2.cloudflarestorage.com');
    this.#isAlike = isKnown || (!isAws && recall(this.#name) === alike);
  }

  get current(): PartLayout {
    const { partSizeBytes, objectBytesMax } = this.#options;
    return this.#isAlike
      ? constantLayout(partSizeBytes, objectBytesMax ?? partSizeBytes * partsMax)
      : growingLayout(partSizeBytes);
  }

  refused(): void {
    if (this.#isAlike || this.#options.isAws) return;
    this.#isAlike = true;
    this.#options.remember(this.#name, alike);
  }

  get #name(): string {
    const { endpoint, bucket } = this.#options.destination;
    return `parts of endpoint ${endpoint ?? ''} bucket ${bucket}`;
  }
}
