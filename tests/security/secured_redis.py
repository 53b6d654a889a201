"""A real Redis that speaks TLS beside the open port that tests themselves use."""

from pathlib import Path

from tests.kafka.broker import free_ports
from tests.kafka.redis_server import RedisServer


class SecuredRedis(RedisServer):
    """A Redis with a TLS port on loopback. Its certificate names ``localhost`` alone.

    With ``client_certificates`` it lets in those only who show one.
    """

    def __init__(
        self, directory: Path, *, identity: Path, authority: Path, client_certificates: bool = False
    ) -> None:
        super().__init__(directory)
        [self.tls_port] = free_ports(1)
        self._tls = {
            "tls-port": str(self.tls_port),
            "tls-cert-file": str(identity),
            "tls-key-file": str(identity),
            "tls-ca-cert-file": str(authority),
            "tls-auth-clients": "yes" if client_certificates else "no",
        }

    def tls_url(self, login: str = "", host: str = "localhost", **options: object) -> str:
        """The URL of its TLS port; ``login`` is ``user:password``."""
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"rediss://{login + '@' if login else ''}{host}:{self.tls_port}/0?{query}".rstrip("?")

    def _options(self) -> list[str]:
        return [
            *super()._options(),
            *(word for name, text in self._tls.items() for word in (f"--{name}", text)),
        ]
