import { parseSmiCsv } from './nvidia-smi-csv.ts';
import { finding, type HostProbe } from './probe.ts';
import { gpuCount, plainText, told } from './values.ts';

/** The GPUs of this machine or container; which of them a training uses it cannot tell. */
export const nvidiaSmiProbe: HostProbe = {
  name: 'nvidia-smi',

  async probe(tools) {
    const text = await tools.run('nvidia-smi', ['--query-gpu=index,name', '--format=csv']);
    if (text === undefined) return undefined;
    const gpus = parseSmiCsv(text);
    const types = new Set(gpus.map((gpu) => plainText(gpu.get('name'))));
    const [type] = types;
    return finding({
      // Of several kinds nobody knows which one was used.
      'pod.gpuType': types.size === 1 ? told(type, this.name) : undefined,
      'pod.gpuCount': told(gpuCount(String(gpus.length)), this.name),
    });
  },
};
