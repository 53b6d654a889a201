"""The app for those who know Faust: ``faust -A stream.app worker``. Settings come from the environment."""

from stream.settings import Settings
from stream.worker.app import create_app

app = create_app(Settings())  # type: ignore[call-arg]
