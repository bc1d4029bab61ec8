import { z } from 'zod';

const containerSchema = z.looseObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()).optional(),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })).optional(),
  ports: z.array(z.looseObject({ hostPort: z.number().optional() })).optional(),
  volumeMounts: z
    .array(z.looseObject({ mountPath: z.string(), readOnly: z.boolean().optional() }))
    .optional(),
  securityContext: z.looseObject({
    allowPrivilegeEscalation: z.boolean().optional(),
    readOnlyRootFilesystem: z.boolean().optional(),
    privileged: z.boolean().optional(),
    capabilities: z.object({ drop: z.array(z.string()), add: z.array(z.string()).optional() }).optional(),
  }),
});

export const podSchema = z.looseObject({
  initContainers: z.array(containerSchema).optional(),
  containers: z.array(containerSchema),
  volumes: z.array(z.looseObject({ hostPath: z.looseObject({ path: z.string() }).optional() })),
  hostNetwork: z.boolean().optional(),
  hostPID: z.boolean().optional(),
  hostIPC: z.boolean().optional(),
  shareProcessNamespace: z.boolean().optional(),
  terminationGracePeriodSeconds: z.number().optional(),
  securityContext: z.looseObject({
    runAsNonRoot: z.boolean().optional(),
    seccompProfile: z.looseObject({ type: z.string() }).optional(),
  }),
});

export type Pod = z.infer<typeof podSchema>;
export type Container = z.infer<typeof containerSchema>;

/**
 * What goes beyond the profile "restricted" of the Pod Security Standards
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/), sorted; and a root file system that can be
 * written to, which the profile allows and we do not.
 */
export function beyondRestricted(pod: Pod): string[] {
  const host = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((name) => pod[name]);
  const paths = pod.volumes.flatMap(({ hostPath }) => (hostPath ? [`hostPath: ${hostPath.path}`] : []));
  const seccomp = pod.securityContext.seccompProfile?.type === 'RuntimeDefault' ? [] : ['seccompProfile'];
  const containers = [...(pod.initContainers ?? []), ...pod.containers];
  return [
    ...host,
    ...paths,
    ...seccomp,
    ...containers.flatMap((one) => containerBeyond(one, pod)),
  ].toSorted();
}

function containerBeyond({ name, ports = [], securityContext: of }: Container, pod: Pod): string[] {
  const found = [
    ...(of.allowPrivilegeEscalation === false ? [] : ['allowPrivilegeEscalation']),
    ...(of.readOnlyRootFilesystem === true ? [] : ['writes to its root file system']),
    ...(of.privileged ? ['privileged'] : []),
    ...(of.capabilities?.drop.includes('ALL') ? [] : ['keeps capabilities']),
    ...(of.capabilities?.add ?? []).map((added) => `adds ${added}`),
    ...(pod.securityContext.runAsNonRoot ? [] : ['may run as root']),
    ...ports.flatMap(({ hostPort }) => (hostPort ? [`hostPort ${hostPort}`] : [])),
  ];
  return found.map((one) => `${name}: ${one}`);
}
