import { awsProbe } from './aws.ts';
import { azureProbe } from './azure.ts';
import { cudaProbe } from './cuda.ts';
import { gcpProbe } from './gcp.ts';
import { hostNameProbe } from './host-name.ts';
import { kubernetesProbe } from './kubernetes.ts';
import { nvidiaSmiProbe } from './nvidia-smi.ts';
import type { CloudProbe, EnvironmentProbe, HostProbe, RateProbe } from './probe.ts';
import { runpodProbe, runpodRate } from './runpod.ts';
import { slurmProbe } from './slurm.ts';
import { vastProbe, vastRate } from './vast.ts';

export interface ProbeRegistry {
  /** In the order in which their facts count. */
  readonly environment: readonly EnvironmentProbe[];
  readonly gpus: HostProbe;
  readonly clouds: readonly CloudProbe[];
  readonly rates: readonly RateProbe[];
  readonly host: HostProbe;
}

export const probeRegistry: ProbeRegistry = {
  environment: [cudaProbe, slurmProbe, runpodProbe, vastProbe, kubernetesProbe],
  gpus: nvidiaSmiProbe,
  clouds: [awsProbe(), gcpProbe(), azureProbe()],
  rates: [runpodRate(), vastRate()],
  host: hostNameProbe,
};

/** All variables that any probe looks at: what may be read of a session.env and of a process's environment. */
export const probedVariables: ReadonlySet<string> = new Set(
  probeRegistry.environment.flatMap(({ variables }) => variables),
);
