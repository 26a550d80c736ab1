"""Files behind URLs, and their copies on this machine."""

from evalsets.remote.cache import fetch, restore, trim
from evalsets.remote.filesystems import canonical, find, is_url, local_path

__all__ = ["canonical", "fetch", "find", "is_url", "local_path", "restore", "trim"]
