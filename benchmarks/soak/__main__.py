"""`python -m benchmarks.soak --minutes 30`: load at 60 % of capacity, and whether anything grows, lags, fails or drifts.

A table, benchmarks/results/soak.json, and exit code 1 where a bound is broken.
"""

import json
import os
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from application.event_store.hazards import refuse_unsafe_settings
from application.postgres.embedded import EmbeddedPostgres
from benchmarks.data.sample import organizations
from benchmarks.machine import Others, about, commit
from benchmarks.plan import plan_of
from benchmarks.report.screen import Screen
from benchmarks.soak.gauges import Gauges
from benchmarks.soak.load import Answers, Load
from benchmarks.soak.mix import COMMANDS, SHARES, Mix
from benchmarks.soak.verdict import Verdict, lag, latencies, slopes
from benchmarks.targets.service import Service
from projections.read_models import READ_MODELS
from projections.verify import verify

RESULTS = Path(__file__).parents[1] / "results" / "soak.json"
SHARE_OF_CAPACITY = 0.6
CONNECTIONS = 16
LONGEST_WARM_UP = 300.0
_TELL_EVERY = 15.0
_READY_SECONDS = 60.0
