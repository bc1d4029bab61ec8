/**
 * The frozen configuration that the rest of the program is given. Units are in the names; nothing in here
 * is a placeholder any more: paths are absolute, `auto` is left only where the folder decides.
 */
export interface Config {
  readonly watch: {
    /** Absolute. */
    readonly directory: string;
    /** `auto`, or a glob of session roots relative to the folder. */
    readonly sessions: 'auto' | string;
    /** Whether other hosts watch it too. */
    readonly shared: 'auto' | boolean;
    readonly polling: 'auto' | boolean;
    readonly settleMs: number | 'auto';
    readonly rescanMs: number | 'auto';
    readonly idleMs: number;
    readonly ignoreOlderThanMs: number;
  };
  readonly companions: {
    /** Globs relative to the session's root, matched with picomatch and `{ dot: true }`. */
    readonly include: readonly string[];
    readonly exclude: readonly string[];
    /** The default globs that mean weights and checkpoints, whatever `exclude` says. */
    readonly checkpoints: readonly string[];
    readonly bytesMax: number;
    readonly compression: 'none' | 'gzip' | 'zstd';
  };
  readonly sessionLog: { readonly bytesMax: number; readonly snapshotEveryMs: number };
  readonly destination: Destination;
  readonly upload: {
    readonly concurrency: number;
    readonly partSizeBytes: number;
    readonly partConcurrency: number;
    /** Bytes in memory of all transfers together. */
    readonly memoryBytesMax: number;
    /** Absent: no limit. */
    readonly bandwidthBytesPerSecondMax?: number;
  };
  readonly retry: { readonly baseDelayMs: number; readonly maxDelayMs: number };
  /** `directory` is absolute and lies outside the watched folder. */
  readonly state: { readonly directory: string };
  readonly retention: { readonly localFiles: 'keep' | 'delete'; readonly keepForMs: number };
  readonly drain: { readonly timeoutMs: number };
  readonly defaults: {
    readonly user?: string;
    readonly pod?: PodDefaults;
    readonly costPerHour?: number;
    readonly currency?: string;
  };
  readonly probes: {
    readonly cloudMetadata: 'auto' | 'on' | 'off';
    readonly providerApi: 'off' | 'on';
  };
  readonly report: {
    /** A cron expression of five fields. */
    readonly schedule: string;
    readonly backlogAgeWarnMs: number;
    readonly credentialExpiryWarnMs: number;
  };
  readonly http: {
    /** Absent: nothing is served. */
    readonly listen?: { readonly address: string; readonly port: number };
    readonly pages: 'loopback' | 'all';
  };
  /** How `trainlogd bucket` would have the bucket. */
  readonly bucket: {
    readonly tags: Readonly<Record<string, string>>;
    readonly accessLogBucket?: string;
    /** Whole days; absent: never. */
    readonly expireAfterDays?: number;
  };
  readonly log: {
    readonly level: 'error' | 'warn' | 'info' | 'debug';
    readonly format: 'auto' | 'text' | 'json';
  };
}

export interface PodDefaults {
  readonly id?: string;
  readonly provider?: string;
  readonly gpuType?: string;
  readonly gpuCount?: number;
}

export type Destination = S3Destination | DirectoryDestination;

export interface S3Destination {
  readonly kind: 's3';
  readonly bucket: string;
  readonly region: string;
  readonly endpoint?: string;
  readonly pathStyle: boolean;
  readonly keyTemplate: string;
  readonly storageClass?: string;
  readonly encryption?: 'AES256' | 'aws:kms';
  readonly kmsKeyId?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly checksums: 'auto' | 'crc32' | 'md5';
  /**
   * The guide's key pair, only where its variables are set. Not enumerable, so that printing, JSON and
   * spreading leave it out: hand on the destination itself, not a copy. Absent: the SDK's own chain.
   */
  readonly credentials?: Credentials;
  /** Where credentials come from and may be read again while we run. Not enumerable either. */
  readonly credentialPlaces?: CredentialPlaces;
}

export interface CredentialPlaces {
  /** The variables of AWS's own tools (`AWS_…`), as they are set. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string | undefined;
  /** The guide's pair; nothing else is looked for where it is set. */
  readonly keyPair: KeyPairPlace | undefined;
}

export interface KeyPairPlace {
  /** The `.env` file that it, or a part of it, stands in. */
  readonly file: string | undefined;
  /** The pair that is there now, or what is wrong with it. */
  readonly read: () => Credentials | string;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Until when they hold, where that was said. */
  readonly expiration?: Date;
}

export interface DirectoryDestination {
  readonly kind: 'directory';
  /** Absolute. */
  readonly path: string;
  readonly keyTemplate: string;
}
