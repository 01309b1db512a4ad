"""A list of requests that does something when a certain one comes."""

from collections.abc import Callable


class Watched(list[str]):
    """To take the place of `HubServer.requests`: `act` is called when a request comes that holds `word`."""

    def __init__(self, word: str, act: Callable[[], None]):
        super().__init__()
        self.word, self.act = word, act

    def append(self, request: str) -> None:
        super().append(request)
        if self.word in request:
            self.act()
