"""A real Kafka broker with TLS, logins and access rules beside the open listener that tests themselves use.

```
bootstrap   PLAINTEXT   127.0.0.1   ANONYMOUS, who may do everything: what the tests write and read back
sasl        SASL_SSL    localhost   PLAIN and SCRAM-SHA-512
mutual      SSL         localhost   a client certificate is needed; the user is CN=<its name>
```
The operator and whoever shows the worker's certificate may do everything; others what they are granted.
The server's certificate names ``localhost`` alone, so whoever calls it 127.0.0.1 finds another name in it.
"""

from pathlib import Path

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding
from confluent_kafka.admin._scram import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

from tests.kafka.broker import Broker, free_ports

OPERATOR = "operator"

ADMIN_S = 20
_ITERATIONS = 4096


class SecuredBroker(Broker):
    """A broker that lets in whom it knows, and lets them do what they were granted."""

    def __init__(self, directory: Path, *, identity: Path, authority: Path, password: str) -> None:
        super().__init__(directory)
        self._sasl_port, self._mutual_port = free_ports(2)
        self._identity, self._authority, self._password = identity, authority, password
        self.sasl = f"localhost:{self._sasl_port}"
        self.sasl_by_address = f"127.0.0.1:{self._sasl_port}"
        self.mutual = f"localhost:{self._mutual_port}"

    def add_user(self, name: str, password: str) -> None:
        """A user who logs in by SCRAM-SHA-512."""
        wanted = UserScramCredentialUpsertion(
            name, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS), password.encode()
        )
        admin = self._admin()
        for done in admin.alter_user_scram_credentials([wanted]).values():
            done.result(ADMIN_S)

    def grant(self, rights: list[AclBinding]) -> None:
        """Let users do more than they could."""
        admin = self._admin()
        for done in admin.create_acls(rights).values():
            done.result(ADMIN_S)

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

    def _properties(self) -> str:
        login = "org.apache.kafka.common.security"
        controller = f"CONTROLLER://127.0.0.1:{self._controller_port}"
        outer = f"LOGIN://127.0.0.1:{self._sasl_port},MUTUAL://127.0.0.1:{self._mutual_port}"
        settings: dict[str, object] = {
            "listeners": f"PLAINTEXT://{self.bootstrap},{outer},{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap},{outer.replace('127.0.0.1', 'localhost')}",
            "listener.security.protocol.map": (
                "PLAINTEXT:PLAINTEXT,LOGIN:SASL_SSL,MUTUAL:SSL,CONTROLLER:PLAINTEXT"
            ),
            "inter.broker.listener.name": "PLAINTEXT",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self._identity,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self._authority,
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.login.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "listener.name.login.plain.sasl.jaas.config": (
                f'{login}.plain.PlainLoginModule required user_{OPERATOR}="{self._password}";'
            ),
            "listener.name.login.scram-sha-512.sasl.jaas.config": (
                f"{login}.scram.ScramLoginModule required;"
            ),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:ANONYMOUS;User:{OPERATOR};User:CN=worker;User:CN=locked",
        }
        lines = super()._properties().splitlines()
        kept = [line for line in lines if line.partition("=")[0] not in settings]
        return "".join(
            f"{line}\n" for line in [*kept, *(f"{name}={text}" for name, text in settings.items())]
        )
