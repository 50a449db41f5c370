"""`activities serve` whose children are those of chaos.planted: `python -m chaos.planted.serve serve ...`."""

from api.cli import main
from api.serving import serve

serve.WORKER, serve.PROJECTOR = "chaos.planted.worker", "chaos.planted.projector"

if __name__ == "__main__":
    main()
