"""Who trains, with what, and how it ended, known at once: Trainer(..., callbacks=[TrainlogdCallback()]).

Optional: trainlogd reads the Trainer's own files without it. Works below `trainlogd exec` and without.
"""
import getpass, json, os
from datetime import datetime, timezone
from pathlib import Path

from transformers import TrainerCallback


def now():
    return datetime.now(timezone.utc).isoformat()


def write_json(path, document):
    part = path.with_name(path.name + ".tmp")
    part.write_text(json.dumps(document, default=str))
    part.replace(path)


class TrainlogdCallback(TrainerCallback):
    def __init__(self, directory=None):
        self.directory = directory or os.environ.get("TRAINLOGD_SESSION_DIR")

    def on_train_begin(self, args, state, control, **kwargs):
        if not state.is_world_process_zero:
            return
        self.session = Path(self.directory or args.output_dir)
        self.session.mkdir(parents=True, exist_ok=True)
        if (self.session / "result.json").exists():  # of a run before this one, which goes on
            (self.session / "result.json").replace(self.session / "result.previous.json")
        if not (self.session / "session.json").exists():
            config = {
                "epochs": args.num_train_epochs,
                "batchSize": args.per_device_train_batch_size,
                "learningRate": args.learning_rate,
                "seed": args.seed,
            }
            user = {"username": getpass.getuser()}
            write_json(self.session / "session.json", {"startedAt": now(), "user": user, "config": config})
        if not (self.session / "session.pid").exists():
            (self.session / "session.pid").write_text(str(os.getpid()))  # its death is an end, too

    def on_train_end(self, args, state, control, **kwargs):
        if not state.is_world_process_zero:
            return
        logged = {name: value for entry in state.log_history for name, value in entry.items()}
        saved = sorted(path.name for path in Path(args.output_dir).glob("checkpoint-*"))
        result = {"status": "completed", "endedAt": now(), "checkpointsSaved": saved, "metrics": logged}
        write_json(self.session / "result.json", result)
