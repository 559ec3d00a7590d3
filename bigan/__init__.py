"""Train, measure and explore bidirectional generative adversarial networks (BiGANs)."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigan.checkpoint import CheckpointError, list_checkpoints, load
    from bigan.config import ModelConfig
    from bigan.images import ImageError
    from bigan.models.bigan import BiGAN, CapabilityError

__version__ = "0.1.0"
__all__ = ["BiGAN", "CapabilityError", "CheckpointError", "ImageError", "ModelConfig", "list_checkpoints", "load"]

_HOMES = {
    "BiGAN": "bigan.models.bigan",
    "CapabilityError": "bigan.models.bigan",
    "CheckpointError": "bigan.checkpoint",
    "ImageError": "bigan.images",
    "ModelConfig": "bigan.config",
    "list_checkpoints": "bigan.checkpoint",
    "load": "bigan.checkpoint",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `python -m bigan --help` need not wait for torch."""
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module 'bigan' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
