#!/usr/bin/env python3
"""Writes a training session into a watched folder: drop_session.py FOLDER"""
import json, pathlib, sys, uuid
from datetime import datetime, timezone

session = pathlib.Path(sys.argv[1]) / str(uuid.uuid4())
session.mkdir(parents=True)
started = datetime.now(timezone.utc).isoformat()
(session / "session.json").write_text(json.dumps({"startedAt": started, "config": {"epochs": 3}}))
with open(session / "metrics.csv", "w") as metrics:
    for epoch in range(1, 4):
        print(epoch, 1 / epoch, sep=",", file=metrics)
result = session / "result.json.tmp"
result.write_text(json.dumps({"status": "completed", "metrics": {"loss": 1 / 3}}))
result.rename(session / "result.json")
