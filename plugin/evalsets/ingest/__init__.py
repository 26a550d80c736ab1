"""What lies in a source, whether it can be read, and what became of it since."""

from evalsets.ingest.changes import (
    Examined,
    Look,
    Plan,
    Refused,
    Synced,
    compare,
    look_at,
)
from evalsets.ingest.coco import Box, read_coco
from evalsets.ingest.images import Facts, examine
from evalsets.ingest.journal import Journal, sweep
from evalsets.ingest.listing import Listing, list_images
from evalsets.ingest.processed import Processed
from evalsets.ingest.sidecar import LABEL, read_sidecar

__all__ = [
    "LABEL",
    "Box",
    "Examined",
    "Facts",
    "Journal",
    "Listing",
    "Look",
    "Plan",
    "Processed",
    "Refused",
    "Synced",
    "compare",
    "examine",
    "list_images",
    "look_at",
    "read_coco",
    "read_sidecar",
    "sweep",
]
