"""What one client does."""


class Work:
    """`connected` is what is sent first on each connection; `ask` gives some requests to be sent at once."""

    def __init__(self, client):
        self.client, self.random = client, client.random
        self.history, self.shared = client.load.history, client.load.shared
        self.connection = 0

    def connected(self):
        self.connection = self.client.connections
        return []

    def ask(self):
        raise NotImplementedError

    def expect(self, op, holds):
        """`holds` of the answer, if one came."""
        self.client.expect(op, holds)
