import { aiToolkitReader } from './ai-toolkit.ts';
import { axolotlReader } from './axolotl.ts';
import { deepspeedReader } from './deepspeed.ts';
import { diffusersReader } from './diffusers.ts';
import { huggingFaceReader } from './hugging-face.ts';
import { hydraReader } from './hydra.ts';
import { kohyaReader } from './kohya.ts';
import { lightningReader } from './lightning.ts';
import { llamaFactoryReader } from './llama-factory.ts';
import { mlflowReader } from './mlflow.ts';
import { nativeReader } from './native.ts';
import { plainLogReader } from './plain-log.ts';
import type { FormatReader } from './reader.ts';
import { tensorboardReader } from './tensorboard.ts';
import { torchrunReader } from './torchrun.ts';
import { torchtuneReader } from './torchtune.ts';
import { ultralyticsReader } from './ultralytics.ts';
import { wandbReader } from './wandb.ts';

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
  ultralyticsReader,
  kohyaReader,
  aiToolkitReader,
  hydraReader,
  wandbReader,
  mlflowReader,
  tensorboardReader,
  torchrunReader,
  plainLogReader,
];
