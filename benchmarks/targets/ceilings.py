"""The ceilings: a process each, and no database."""

from benchmarks.peers import serve
from benchmarks.targets.target import SECRET, Target


class _Ceiling(Target):
    has_database = False

    def _prepare(self) -> None:
        pass

    def _start(self) -> None:
        env = {serve.SECRET: SECRET, serve.LISTEN_FD: str(self.door.listener.fileno())}
        self.crew.start("worker", "benchmarks.peers.serve", self.name, env=env, listener=self.door.listener)


class Null(_Ceiling):
    name = "null"


class Echo(_Ceiling):
    name = "echo"
