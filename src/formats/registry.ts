import { nativeReader } from './native.ts';
import type { FormatReader } from './reader.ts';

/** Every reader, in the order in which their facts and endings count. */
export const formatReaders: readonly FormatReader[] = [nativeReader];
