import { axolotlReader } from './axolotl.ts';
import { deepspeedReader } from './deepspeed.ts';
import { diffusersReader } from './diffusers.ts';
import { huggingFaceReader } from './hugging-face.ts';
import { lightningReader } from './lightning.ts';
import { llamaFactoryReader } from './llama-factory.ts';
import { nativeReader } from './native.ts';
import type { FormatReader } from './reader.ts';
import { tensorboardReader } from './tensorboard.ts';
import { torchtuneReader } from './torchtune.ts';

/** Every reader, in the order in which their facts and endings count. */
export const formatReaders: readonly FormatReader[] = [
  nativeReader,
  axolotlReader,
  llamaFactoryReader,
  huggingFaceReader,
  diffusersReader,
  torchtuneReader,
  lightningReader,
  deepspeedReader,
  tensorboardReader,
];
