"""What the README of a published Space tells: what is true there, and nothing of what is in the clone alone."""

import re
from collections.abc import Callable

from hub_server import HubServer


def test_the_readme_of_a_space(publish: Callable, hub: HubServer) -> None:
    """No command of what it has not, no link to what is not in it; it names itself and the models of its owner."""
    publish()
    files = hub.files("spaces/alice/latent-lab")
    page = files["README.md"].decode().split("---\n", 2)[2]
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == ["Run", "Load", "Licence"]
    assert "python -m train" not in page and "NAMESPACE" not in page and "](" not in page
    assert 'Client("alice/latent-lab")' in page and '"alice/mnist-resnet" on the Hub' in page
    assert {"app.py", "requirements.txt"} <= {name for name in files if name in page}
    assert page.count("```") % 2 == 0 and page.rstrip().endswith("not for business.")
