"""What a model is called and what it is, in words: a BiGAN, or one of the rivals of the paper's Table 1."""

from dataclasses import dataclass
from typing import Any

from bigan.config import ModelConfig


@dataclass(frozen=True)
class Kind:
    """What a model is, by how it was trained."""

    title: str
    introduction: str
    failures: tuple[str, ...] = ()
    """What follows from its training, whatever the numbers; {things} are the images of its data."""
    row: str | None = None
    """The row of the paper's Table 1 (`bigan.evaluation.rows`) to hold it against, where there is one."""


PAPER = "[Donahue et al. 2017](https://arxiv.org/abs/1605.09782)"
BIGAN = Kind(
    "BiGAN",
    f"A bidirectional GAN ({PAPER}): a generator G(z) -> x, an encoder\n"
    "E(x) -> z and a discriminator D(x, z) of pairs, trained together. Nobody ever showed E which z belongs to an x.",
    row="bigan",
)
EXTENDED = Kind(
    "Extended BiGAN",
    f"{BIGAN.introduction}\n"
    "Beyond the paper, two terms were added, with the weights below: G and E bring x back as G(E(x)), and E answers\n"
    "alike for images nearby. No label enters its training; the weights of the recipe mnist-best were chosen by the\n"
    "labels of training digits held out for that, and the project's results/attempts.md has all that was tried.",
    row=BIGAN.row,
)
OTHER = Kind("Model", f"Networks like those of a BiGAN ({PAPER}), not all three of them.")
_BLIND = "E was trained on images that G made, and never on real {things}."
RIVALS = {
    "gan": Kind(
        "GAN",
        f"A standard GAN, the rival D of a BiGAN in Table 1 of {PAPER}:\n"
        "a generator G(z) -> x and a discriminator D(x) that tells real images from generated ones. Its features are\n"
        "those of D's last hidden layer.",
        ("It has no encoder: there is no way from an image to its z.",),
        "d",
    ),
    "latent-regressor": Kind(
        "Latent regressor",
        f"The rival LR of a BiGAN in Table 1 of {PAPER}, as the official\n"
        "code has it: beside a standard GAN, an encoder E learnt the z that an image G(z) was generated from. G does\n"
        "not know of E. The GAN's discriminator is not kept.",
        (_BLIND,),
        "lr",
    ),
    "latent-regressor-after": Kind(
        "Latent regressor",
        f"The rival LR of a BiGAN in Table 1 of {PAPER}, as its text has\n"
        "it: after a standard GAN was trained, an encoder E learnt the z that an image G(z) was generated from.",
        (_BLIND,),
        "lr",
    ),
    "joint-latent-regressor": Kind(
        "Joint latent regressor",
        f"The rival JLR of a BiGAN in Table 1 of {PAPER}: beside a\n"
        "standard GAN, an encoder E learnt the z that an image G(z) was generated from, and G helped it. The GAN's\n"
        "discriminator is not kept.",
        (_BLIND,),
        "jlr",
    ),
    **{
        f"autoencoder-{norm}": Kind(
            f"Autoencoder ({norm})",
            f"The rival AE ({norm}) of a BiGAN in Table 1 of {PAPER}: an\n"
            f"encoder E and a generator G that together reproduce x, by the {norm} error alone.",
            ("Nothing made E(x) follow the prior: a sample G(z) need not look like one of the {things}.",),
            f"ae-{norm}",
        )
        for norm in ("l2", "l1")
    },
    "supervised": Kind(
        "Classifier",
        f"The network of a BiGAN's encoder ({PAPER}, Table 1), trained\n"
        "with labels, to hold features against that are learnt without. Its raw outputs are the logits of the\n"
        "classes.",
        ("E(x) are no codes: z is the logits of the classes.",),
    ),
}


def kind_of(config: ModelConfig, train: dict[str, Any] | None) -> Kind:
    """What a checkpoint's model is, by its config and by what train.json says, if it is there."""
    settings = (train or {}).get("train")
    if not isinstance(settings, dict):
        settings = {}
    if config.is_bigan:
        return EXTENDED if any(settings.get(term) for term in ("cycle_weight", "blind_weight")) else BIGAN
    return RIVALS.get(str(settings.get("objective")), OTHER)
