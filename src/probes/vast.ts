import { type EnvironmentProbe, finding, type RateProbe, type Variables } from './probe.ts';
import { objectIn, rateProblem } from './rate-answer.ts';
import { price, told, variable } from './values.ts';

const provider = 'vast.ai';

/** An instance of Vast.ai: `VAST_CONTAINERLABEL` is `C.` and its number, which `CONTAINER_ID` gives too. */
export const vastProbe: EnvironmentProbe = {
  name: 'Vast.ai',
  variables: ['VAST_CONTAINERLABEL', 'CONTAINER_ID'],
  scope: 'pod',

  probe(environment) {
    const label = variable(environment, 'VAST_CONTAINERLABEL')?.trim();
    // CONTAINER_ID alone may be anybody's.
    if (!label) return undefined;
    const id = idOf(label, environment);
    return finding({ 'pod.id': id, 'pod.provider': id && told(provider, 'VAST_CONTAINERLABEL') });
  },
};

function idOf(label: string, environment: Variables) {
  const labelled = /^C\.(\d{1,20})$/.exec(label)?.[1];
  if (labelled !== undefined) return told(labelled, 'VAST_CONTAINERLABEL');
  const id = /^\d{1,20}$/.exec(variable(environment, 'CONTAINER_ID')?.trim() ?? '')?.[0];
  return told(id, 'CONTAINER_ID');
}

/** Prices of https://console.vast.ai/api/v0/instances/{id}/, in US dollars. */
export function vastRate(base = 'https://console.vast.ai'): RateProbe {
  return {
    name: 'Vast.ai API',
    keys: ['VAST_API_KEY', 'CONTAINER_API_KEY'],
    podOf: (pod) => (pod.provider === provider ? /^\d{1,20}$/.exec(pod.id ?? '')?.[0] : undefined),

    async ask(pod, key, tools) {
      const url = `${base}/api/v0/instances/${pod}/`;
      const answer = await tools.request({
        method: 'GET',
        url,
        headers: { authorization: `Bearer ${key}`, accept: 'application/json' },
      });
      const instance = objectIn(answer, 'instances');
      const rate = price(instance?.['dph_total']);
      const by = this.name;
      const found = finding({
        'pod.costPerHour': told(rate, by),
        'pod.currency': rate === undefined ? undefined : told('USD', by),
      });
      return found ?? rateProblem(url, answer);
    },
  };
}
