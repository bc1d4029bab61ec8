import type { Option } from './option.ts';
import { oneOf } from './value-types.ts';

/** Who may be asked over the network where a session ran and what that costs. */
export const probeOptions = {
  'probes.cloudMetadata': {
    type: oneOf('auto', 'on', 'off'),
    default: 'auto',
    doc: 'Ask the metadata service of AWS, GCP or Azure which instance this is; auto does so where the firmware says that it is one of theirs',
  },
  'probes.providerApi': {
    type: oneOf('off', 'on'),
    default: 'off',
    doc: 'Ask RunPod or Vast.ai what a pod costs, with RUNPOD_API_KEY, or VAST_API_KEY or CONTAINER_API_KEY, of our own environment',
  },
} satisfies Record<string, Option<unknown>>;
