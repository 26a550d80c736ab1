"""What lies in a source, and whether it can be read."""

from evalsets.ingest.images import Facts, examine
from evalsets.ingest.listing import Listing, list_images
from evalsets.ingest.processed import Processed
from evalsets.ingest.sidecar import LABEL, read_sidecar

__all__ = [
    "LABEL",
    "Facts",
    "Listing",
    "Processed",
    "examine",
    "list_images",
    "read_sidecar",
]
