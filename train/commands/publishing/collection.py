"""The collection that ties models and Space together on the Hub."""

from huggingface_hub import HfApi

from models.hub.failures import FAILURES, HubError, NotTheHub, understood

TITLE = "Latent Lab"
DESCRIPTION = "Small neural networks, trained from scratch, and the Space where you can play with them."


def collect(namespace: str, repo_ids: list[str], space_id: str | None, *, private: bool) -> str:
    """See that the namespace's collection holds all these; what else is in it stays. Returns its address.

    Raises:
        HubError: the Hub has no collections, or does not want this one.
    """
    api, wanted = HfApi(), [("model", one) for one in repo_ids] + [("space", space_id)] * (space_id is not None)
    try:
        known = next((one.slug for one in api.list_collections(owner=namespace) if one.title == TITLE), None)
        if known:
            found = api.get_collection(known)  # a list of collections tells a few of their items alone
        else:
            found = api.create_collection(
                TITLE, namespace=namespace, description=DESCRIPTION, private=private, exists_ok=True
            )
        held = {(one.item_type, one.item_id) for one in found.items}
        for kind, repo_id in wanted:
            if (kind, repo_id) not in held:
                api.add_collection_item(found.slug, repo_id, kind, exists_ok=True)
    except FAILURES as error:
        cause = understood(error, f"the collection of {namespace}", writing=True)
        raise HubError(f"There is no collection: {cause}") from error
    except (KeyError, TypeError) as error:  # an answer that lacks what a collection has
        raise NotTheHub(f"There is no collection: the Hub's answer was not understood ({error!r}).") from error
    return found.url
