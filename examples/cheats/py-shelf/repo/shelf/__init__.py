"""Books on rows."""
from .label import label
from .pack import rows

__all__ = ["label", "rows"]
