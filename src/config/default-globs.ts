/**
 * What is no companion unless asked for. Globs are relative to the session's root (picomatch, `{ dot: true }`).
 * They err on the side of shipping: an extension is listed only where it can hardly be anything else,
 * so `.bin`, `.pkl`, `.npz`, `.zip` and `.index` are listed by the names that frameworks give to weights.
 */

/** Weights, optimizer states and checkpoint directories: listed in the log, not shipped. */
export const checkpointGlobs: readonly string[] = [
  // Directories: Hugging Face, Ray, Lightning (sharded `.ckpt`), DeepSpeed, Megatron, Flax and Orbax.
  '**/checkpoint-*/**',
  '**/tmp-checkpoint-*/**',
  '**/checkpoint_*/**',
  '**/checkpoints/**',
  '**/*.ckpt/**',
  '**/global_step*/**',
  '**/iter_+([0-9])/**',
  '**/ckpt-*/**',
  '**/ckpt_*/**',
  '**/*orbax-checkpoint*/**',
  '**/ocdbt.process_*/**',
  '**/*.mlpackage/**',
  // One file: PyTorch, safetensors, llama.cpp, ONNX, Keras, Flax, Paddle, MXNet, Caffe, NeMo, Darknet, engines.
  '**/*.{safetensors,ckpt,pt,pth,pt2,ptl,pte,distcp}',
  '**/*.{gguf,ggml,llamafile,onnx,onnx_data,onnx.data,ort}',
  '**/*.{h5,keras,msgpack,tflite,mlmodel,pdparams,pdopt,pdmodel,caffemodel,nemo,weights}',
  '**/*.{engine,trt}',
  '**/*-+([0-9]).params',
  '**/checkpoint_+([0-9])',
  // TensorFlow: index and shards of a checkpoint, graphs of a saved model.
  '**/*.data-+([0-9])-of-+([0-9])',
  '**/{*ckpt*,cp,cp-*,*checkpoint*}.index',
  '**/variables/variables.index',
  '**/{saved_model,frozen_*,*_graph}.pb',
  // `.bin` by name: `training_args.bin` is small and tells how the run was configured, so it ships.
  '**/{pytorch_,adapter_,diffusion_,flax_,tf_,ggml-}*.bin',
  '**/{model,consolidated}*.bin',
  '**/*{weights,embeds,lora}*.bin',
  '**/{optimizer,scheduler,sampler,dl_state_dict,scaler}?(_+([0-9])).bin',
  '**/{random_states,rng_state}_*.pkl',
  '**/rl_model_*.zip',
];

const cacheGlobs: readonly string[] = [
  '**/__pycache__/**',
  '**/*.py[co]',
  '**/{.cache,.git,.venv,.triton,.nv,.ipynb_checkpoints,.pytest_cache,node_modules}/**',
  '**/{torchinductor_*,torch_compile_cache,triton_cache}/**',
  '**/{models,datasets,spaces}--*/**',
  '**/huggingface/{hub,datasets,modules,assets}/**',
  '**/cache-+([0-9a-f])*.arrow',
  '**/wandb/{artifacts,cache}/**',
  '**/wandb/*run-*/tmp/**',
  // Ultralytics' label cache.
  '**/labels*.cache',
];

export const defaultExcludes: readonly string[] = [...checkpointGlobs, ...cacheGlobs];
