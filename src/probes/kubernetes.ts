import { type EnvironmentProbe, finding } from './probe.ts';
import { plainText, told, variable } from './values.ts';

/**
 * A pod of Kubernetes, by what its spec injects (downward API, `fieldRef`), under the names that the documentation of
 * Kubernetes and of OpenTelemetry use. Without them only that it is Kubernetes is known.
 */
const names = ['POD_NAME', 'MY_POD_NAME', 'K8S_POD_NAME', 'KUBERNETES_POD_NAME'];
const namespaces = ['POD_NAMESPACE', 'MY_POD_NAMESPACE', 'K8S_NAMESPACE', 'KUBERNETES_NAMESPACE'];
const cluster = 'KUBERNETES_SERVICE_HOST';

export const kubernetesProbe: EnvironmentProbe = {
  name: 'Kubernetes',
  variables: [...names, ...namespaces, cluster],
  scope: 'pod',

  probe(environment) {
    const first = (from: readonly string[]) =>
      from.find((name) => plainText(variable(environment, name)) !== undefined);
    const [name, namespace] = [first(names), first(namespaces)];
    // POD_NAME alone may be anybody's.
    const evidence = plainText(variable(environment, cluster)) === undefined ? namespace : cluster;
    if (evidence === undefined) return undefined;
    const pod = name && plainText(variable(environment, name));
    const prefix = namespace === undefined ? '' : `${plainText(variable(environment, namespace))}/`;
    return finding({
      'pod.id': name === undefined ? undefined : told(pod && prefix + pod, name),
      'pod.provider': told('kubernetes', evidence),
    });
  },
};
