import { type EnvironmentProbe, finding, type RateProbe } from './probe.ts';
import { type JsonObject, objectIn, rateProblem } from './rate-answer.ts';
import { gpuCountOf, plainText, price, textOf, told, variable } from './values.ts';

const provider = 'runpod';

/** A pod of RunPod, by docs.runpod.io "Environment variables"; RUNPOD_GPU_NAME is there without being documented. */
export const runpodProbe: EnvironmentProbe = {
  name: 'RunPod',
  variables: ['RUNPOD_POD_ID', 'RUNPOD_GPU_NAME', 'RUNPOD_GPU_COUNT'],
  scope: 'pod',

  probe(environment) {
    const id = textOf(environment, 'RUNPOD_POD_ID');
    if (id === undefined) return undefined;
    const gpuType = plainText(decodePlus(variable(environment, 'RUNPOD_GPU_NAME')));
    return finding({
      'pod.id': id,
      'pod.provider': told(provider, 'RUNPOD_POD_ID'),
      'pod.gpuType': told(gpuType, 'RUNPOD_GPU_NAME'),
      'pod.gpuCount': gpuCountOf(environment, 'RUNPOD_GPU_COUNT'),
    });
  },
};

/** `NVIDIA+A40`, as in a query string. */
function decodePlus(text: string | undefined): string | undefined {
  const spaced = text?.replaceAll('+', ' ');
  try {
    return spaced && decodeURIComponent(spaced);
  } catch {
    return spaced; // reason: a lone % is a character of the name
  }
}

/** Prices of https://rest.runpod.io/v1/pods/{podId}, in credits, which are US dollars. */
export function runpodRate(base = 'https://rest.runpod.io'): RateProbe {
  return {
    name: 'RunPod API',
    keys: ['RUNPOD_API_KEY'],
    podOf: (pod) => (pod.provider === provider ? /^[A-Za-z0-9_-]{1,64}$/.exec(pod.id ?? '')?.[0] : undefined),

    async ask(pod, key, tools) {
      const url = `${base}/v1/pods/${pod}`;
      const answer = await tools.request({
        method: 'GET',
        url,
        headers: { authorization: `Bearer ${key}`, accept: 'application/json' },
      });
      const document = objectIn(answer);
      const rate = document && rateOf(document);
      if (rate === undefined) return rateProblem(url, answer);
      const by = this.name;
      const found = finding({ 'pod.costPerHour': told(rate, by), 'pod.currency': told('USD', by) });
      return found ?? rateProblem(url, answer);
    },
  };
}

/** What is paid after savings plans counts; the list price comes as text. */
function rateOf(document: JsonObject): number | undefined {
  return price(document['adjustedCostPerHr']) ?? price(document['costPerHr']);
}
