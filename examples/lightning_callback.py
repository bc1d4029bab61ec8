"""Who trains, with what, and how it ended, known at once: Trainer(..., callbacks=[TrainlogdCallback()]).

Optional: trainlogd reads Lightning's own files without it. Works below `trainlogd exec` and without.
"""
import getpass, json, os
from datetime import datetime, timezone
from pathlib import Path

from lightning.pytorch import Callback


def now():
    return datetime.now(timezone.utc).isoformat()


def write_json(path, document):
    part = path.with_name(path.name + ".tmp")
    part.write_text(json.dumps(document, default=str))
    part.replace(path)


class TrainlogdCallback(Callback):
    def __init__(self, directory=None):
        self.directory = directory or os.environ.get("TRAINLOGD_SESSION_DIR")

    def on_fit_start(self, trainer, pl_module):
        directory = self.directory or trainer.log_dir or trainer.default_root_dir  # log_dir asks all ranks
        if not trainer.is_global_zero:
            return
        self.session = Path(directory)
        self.session.mkdir(parents=True, exist_ok=True)
        if (self.session / "result.json").exists():  # of a run before this one, which goes on
            (self.session / "result.json").replace(self.session / "result.previous.json")
        if not (self.session / "session.json").exists():
            config = {"epochs": trainer.max_epochs, **dict(getattr(pl_module, "hparams", {}))}
            user = {"username": getpass.getuser()}
            write_json(self.session / "session.json", {"startedAt": now(), "user": user, "config": config})
        if not (self.session / "session.pid").exists():
            (self.session / "session.pid").write_text(str(os.getpid()))  # its death is an end, too

    def on_fit_end(self, trainer, pl_module):
        self.end(trainer, "completed")

    def on_exception(self, trainer, pl_module, exception):
        cancelled = isinstance(exception, KeyboardInterrupt)
        self.end(trainer, "cancelled" if cancelled else "failed", f"{type(exception).__name__}: {exception}")

    def end(self, trainer, status, error=None):
        if not trainer.is_global_zero or not hasattr(self, "session"):
            return
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        result = {"status": status, "endedAt": now(), "metrics": metrics, "error": error}
        write_json(self.session / "result.json", result)
