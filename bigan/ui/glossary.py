"""Words of the field, each in one sentence, for the tooltip where a page first uses them."""

TERMS: dict[str, str] = {
    "prior": "the known rule by which z is drawn at random, here each number either evenly between \N{MINUS SIGN}1 and "
    "1 or from a bell curve about 0; G was trained on such z only.",
    "logit": "D's answer as a number on an open scale: 0 is undecided, above it D rather takes the pair for an encoder "
    "pair, below for a generator pair, and the share it gives is 1 / (1 + e^\N{MINUS SIGN}logit).",
    "nats": "the unit of a loss that is measured with natural logarithms; D undecided has ln 2 = 0.693 nats.",
    "penultimate": "E's last hidden layer, the one before its output: the numbers into which it has turned the image "
    "just before it gives its answer.",
    "truncation": "drawing z closer to the centre of the prior than the training did: the images become more typical "
    "and less varied, and at 1 nothing is changed.",
    "ratio": "the distance from x to G(E(x)) over the mean distance from G(E(x)) to a random real image: 0 is exact, 1 "
    "no better than chance.",
    "NND": "nearest-neighbour distance: how far in pixel values an unseen real image is from the nearest of 100,000 "
    "samples on average; lower means that the samples come closer to all that is real.",
    "NNC_e": "nearest-neighbour classification by E's raw output, before it is squashed into E(x): the share of unseen "
    "images that have the class of the training image whose output is nearest.",
    "NNC_e-": "nearest-neighbour classification by E's last hidden layer, the figure of the paper's Table 1: the share "
    "of unseen images that have the class of the training image nearest to them there.",
    "NNC_d": "the same for a GAN without an E, by the last hidden layer of its D.",
    "CLS_e-": "the share of unseen images that a simple (linear) classifier gets right when all it sees is E's last "
    "hidden layer.",
    "JD": "D's loss over both kinds of pair, in nats: ln 2 = 0.693 when it cannot tell them apart, 0 when it always "
    "can.",
    "EGr": "how far in pixel values G(E(x)) is from its own x on average, over real images.",
    "EGr_b": "how far in pixel values G(E(x)) is from another image than its own, on average: the base that EGr is to "
    "be compared with.",
    "EGr/EGr_b": "how far G(E(x)) is from its own x, relative to how far it is from another image: 0 would be an exact "
    "copy, 1 no better than chance.",
    "McNemar's p": "how often a split at least as uneven would come about by chance, were both rows equally good: the "
    "smaller, the surer the difference.",
}


def explain(*terms: str) -> str:
    """What some words mean, as Markdown for a `help`."""
    return "\n\n".join(f"**{term}**: {TERMS[term]}" for term in terms)
