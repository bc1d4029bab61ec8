import type { JsonObject } from '../domain/json.ts';
import { redact } from '../domain/redaction.ts';

export interface GitState {
  readonly commit: string;
  readonly branch?: string;
  /** Files that git knows differ from the commit; absent where that could not be found out in time. */
  readonly dirty?: boolean;
}

/** What is known of a command before it starts. */
export interface CommandFacts {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly host: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly git: GitState | undefined;
  readonly version: string;
}

const argumentsMax = 200;
const argumentLengthMax = 2000;
const variablesMax = 100;
const valueLengthMax = 500;

/** Variables that change what a training does or say where it ran. No other leaves the process. */
const variableNames = new RegExp(
  `^(?:${[
    'CUDA_.*|NVIDIA_VISIBLE_DEVICES|ROCR_VISIBLE_DEVICES|HIP_VISIBLE_DEVICES|NCCL_.*|RCCL_.*|GLOO_.*|UCX_.*|FI_PROVIDER',
    'PYTORCH_.*|TORCH_.*|TORCHELASTIC_.*|TORCHDYNAMO_.*|TORCHINDUCTOR_.*|XLA_.*|JAX_.*|TF_.*|TPU_.*',
    'OMP_NUM_THREADS|MKL_NUM_THREADS|OPENBLAS_NUM_THREADS|TOKENIZERS_PARALLELISM',
    'RANK|LOCAL_RANK|GROUP_RANK|NODE_RANK|WORLD_SIZE|LOCAL_WORLD_SIZE|MASTER_ADDR|MASTER_PORT',
    'OMPI_COMM_WORLD_.*|SLURM_(?:JOB|ARRAY|STEP|CLUSTER|NODEID|PROCID|LOCALID|NTASKS|NNODES|GPUS|CPUS|RESTART).*|SLURMD_NODENAME',
    'ACCELERATE_.*|DEEPSPEED_.*|DS_.*|FSDP_.*|HF_.*|TRANSFORMERS_.*|DIFFUSERS_.*|WANDB_.*|MLFLOW_.*|COMET_.*|CLEARML_.*',
    'CONDA_DEFAULT_ENV|CONDA_PREFIX|VIRTUAL_ENV|PYTHON[A-Z]+|LD_PRELOAD',
    'RUNPOD_POD_ID|VAST_CONTAINERLABEL|POD_NAME|KUBERNETES_NAMESPACE',
  ].join('|')})$`,
);

/** `session.json`. Secrets in arguments and variables are masked before anything is written. */
export function sessionDocument(
  id: string,
  startedAt: string,
  username: string | undefined,
  facts: CommandFacts,
): JsonObject {
  return {
    id,
    startedAt,
    ...(username !== undefined && { user: { username, sessionStartedAt: startedAt } }),
    exec: commandDocument(facts),
  };
}

/** The same facts for `result.json`, where a session.json was there already. */
export function commandDocument({ command, cwd, host, env, git, version }: CommandFacts): JsonObject {
  const document: JsonObject = {
    command: boundedArguments(command),
    cwd,
    host,
    environment: environmentOf(env),
    ...(git && { git: { ...git } }),
    trainlogd: version,
  };
  return redact(document).value as JsonObject;
}

function boundedArguments(command: readonly string[]): string[] {
  const kept = command.slice(0, argumentsMax).map((argument) => cut(argument, argumentLengthMax));
  const more = command.length - kept.length;
  return more > 0 ? [...kept, `… and ${more} more`] : kept;
}

function environmentOf(env: CommandFacts['env']): Record<string, string> {
  const kept = Object.keys(env)
    .filter((name) => variableNames.test(name))
    .sort()
    .slice(0, variablesMax);
  return Object.fromEntries(kept.map((name) => [name, cut(env[name] ?? '', valueLengthMax)]));
}

function cut(text: string, lengthMax: number): string {
  return (text.length > lengthMax ? `${text.slice(0, lengthMax)}…` : text).toWellFormed();
}
