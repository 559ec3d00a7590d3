"""The model card of a checkpoint, README.md, written from what its files say and from nothing else."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from bigan import checkpoint
from bigan.config import ModelConfig, TrainConfig
from bigan.data import DATASETS
from bigan.evaluation.paper import MEANINGS, published
from bigan.evaluation.report import weights_sha256
from bigan.explore.gallery import DIGIT_SHEET, DIGIT_SHEET_TERMS, load_gallery
from bigan.explore.projection import Projection, load_projection
from bigan.files import CARD_FILE, GALLERY_FILE, PROJECTION_FILE, CheckpointError, write_text
from bigan.kinds import EXTENDED, Kind, kind_of
from bigan.models.bigan import BiGAN
from bigan.records import (
    HISTORY_FILE,
    TRAIN_FILE,
    is_finite_number,
    read_config,
    read_history,
    read_metrics,
    read_train,
)

HUB_DATASETS = {"mnist": "ylecun/mnist", "fashion-mnist": "zalando-datasets/fashion_mnist"}
PRIORS = {"uniform": "uniform on (-1, 1)", "normal": "standard normal"}
NUMBERS = {1: "one multi-layer perceptron", 2: "two multi-layer perceptrons", 3: "three multi-layer perceptrons"}
UNDECIDED = math.log(2)  # D's loss in nats when it cannot tell the pairs apart
FAR_FROM_PRIOR = 0.2  # Kolmogorov-Smirnov
MUCH_WORSE = 0.5  # percentage points; less is not worth a warning


def write_card(folder: Path) -> None:
    """Write the folder's README.md, beside and renamed.

    Raises:
        CheckpointError: a file that it is written from is missing or broken.
    """
    write_text(folder / CARD_FILE, card_text(folder))


def card_text(folder: Path) -> str:
    """The model card in Markdown, with the Hub's YAML head."""
    config, train = read_config(folder), read_train(folder)
    metrics, projection = _measured(folder)
    name, trained_on = folder.resolve().name, str((train or {}).get("dataset", config.dataset))
    kind = kind_of(config, train)
    failures = _failures(config, kind, _values(metrics))
    sections = [
        _introduction(name, config, kind),
        _data(folder, trained_on, train),
        _training(folder, train),
        _results(name, config, kind, metrics),
        "## Where it fails\n\n" + "\n".join(f"- {line}" for line in (*failures, *_decline(read_history(folder)))),
        _map(projection),
    ]
    body = "\n\n".join(section for section in sections if section)
    return f"---\n{_head(name, config, trained_on, metrics).to_yaml()}\n---\n\n{body}\n"


def _measured(folder: Path) -> tuple[dict[str, Any] | None, Projection | None]:
    """The metrics and the maps, each unless it was made with other weights than those of the folder."""
    metrics, projection = read_metrics(folder), load_projection(folder)
    if metrics is None and projection is None:
        return None, None
    digest = weights_sha256(checkpoint.read_model(folder))
    return (
        metrics if metrics and metrics.get("weights_sha256") == digest else None,
        projection if projection and projection.weights_sha256 == digest else None,
    )


def _head(name: str, config: ModelConfig, trained_on: str, metrics: dict[str, Any] | None) -> ModelCardData:
    """What the Hub's search and leaderboards read."""
    known = dict(vars(BiGAN._hub_mixin_info.model_card_data))
    if not config.is_bigan:
        known["tags"] = [tag for tag in known["tags"] if tag not in ("ali", "bigan")]
    if config.shortcoming("generate"):
        known["pipeline_tag"] = "image-feature-extraction"
        known["tags"] = [tag for tag in known["tags"] if tag not in ("gan", "image-generation")]
    if trained_on in HUB_DATASETS:
        known["datasets"] = [HUB_DATASETS[trained_on]]
    if metrics is None or not metrics["metrics"]:
        return ModelCardData(**known)
    results = [
        EvalResult(
            task_type=known["pipeline_tag"],
            dataset_type=HUB_DATASETS.get(config.dataset, config.dataset),
            dataset_name=_title(config.dataset),
            dataset_split=str(metrics.get("protocol", "")) or None,
            metric_type="accuracy" if entry.get("unit") == "%" else metric,
            metric_value=entry["value"],
            metric_name=metric,
        )
        for metric, entry in metrics["metrics"].items()
    ]
    known["metrics"] = list(dict.fromkeys(result.metric_type for result in results))
    return ModelCardData(**known | {"model_name": name, "eval_results": results})


def _introduction(name: str, config: ModelConfig, kind: Kind) -> str:
    channels, height, width = config.image_shape
    num_weights = sum(weight.numel() for weight in checkpoint.skeleton(config).parameters())
    norm = "with" if config.batch_norm else "without"
    return f"""# {kind.title} of {_title(config.dataset)}: {name}

{kind.introduction}

- z: {config.latent_dim} components, {PRIORS[config.prior]}
- x: {width} x {height} pixels, {channels} channel{"s" * (channels > 1)}, values in [0, 1]
- networks: {NUMBERS[len(config.networks)]} ({", ".join(config.networks)}) of {config.num_hidden_layers} hidden layers \
of {config.hidden_dim:,} units, {norm} batch normalisation, {num_weights:,} weights in all

```python
import bigan

model = bigan.load("{name}")  # or this folder
{_example(config)}
```"""


def _example(config: ModelConfig) -> str:
    """Lines of Python that ask the model for no more than it can do."""
    if config.shortcoming("generate"):
        return 'h = model.features(model.prepare("picture.png"))'
    again = "h = model.features(x)" if config.shortcoming("encode") else "x_hat = model.reconstruct(x)"
    return f"x = model.generate(model.sample_latents(16, seed=0))\n{again}"


def _data(folder: Path, trained_on: str, train: dict[str, Any] | None) -> str:
    info, gallery, seen = DATASETS.get(trained_on), load_gallery(folder), (train or {}).get("num_images")
    lines = [f"Trained on {_title(trained_on)}{f', {seen:,} images' if isinstance(seen, int) else ''}."]
    if info is not None:
        lines += [f"Source: {info.source}.", f"Terms: {info.terms}."]
    if gallery is not None:
        terms = f"; {DIGIT_SHEET_TERMS}" if gallery.source == DIGIT_SHEET else ""
        lines.append(f"Gallery ({GALLERY_FILE}): {len(gallery):,} images; {gallery.source}{terms}.")
    lines.append("Weights and code: MIT licence.")
    return "## Data and terms\n\n" + "\n".join(f"- {line}" for line in lines)


def _training(folder: Path, train: dict[str, Any] | None) -> str:
    if train is None:
        return "## Training\n\nNot recorded."
    try:
        settings = TrainConfig.from_dict(train["train"])
        versions = ", ".join(f"{name} {version}" for name, version in train["versions"].items())
        return f"""## Training

    {_plain(train["command"])}

- recipe `{_plain(train["recipe"])}`: {train["epochs_done"]} of {settings.total_epochs} epochs ({settings.epochs} at \
{settings.learning_rate:g}, {settings.decay_epochs} decaying to {settings.final_learning_rate_factor:g} of it), \
batches of {settings.batch_size}
- Adam with betas {settings.adam_betas[0]:g} and {settings.adam_betas[1]:g}, weight decay {settings.weight_decay:g}
- objective {_objective(settings)}, {settings.schedule} schedule, precision {settings.precision}, seed {settings.seed}
- {train["hours"]:.2f} hours on {_plain(train["processor"])} (device {_plain(train["device"])}); {versions}"""
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise CheckpointError(
            f"In the checkpoint '{folder}', {TRAIN_FILE} must hold recipe, train, command, device, processor, hours, "
            "epochs_done and versions."
        ) from error


def _objective(settings: TrainConfig) -> str:
    """The objective's name, and the terms beside it."""
    terms = {"|x - G(E(x))|^2": settings.cycle_weight, "(consistency + information)": settings.blind_weight}
    return " + ".join([settings.objective, *(f"{weight:g} {term}" for term, weight in terms.items() if weight)])


def _results(name: str, config: ModelConfig, kind: Kind, metrics: dict[str, Any] | None) -> str:
    if metrics is None:
        return f"## Results\n\nThese weights are not measured yet: `python -m bigan evaluate {name}` does."
    protocol = str(metrics.get("protocol", "unknown"))
    facts = [f"protocol `{_plain(protocol)}`"]
    facts += [f"{key} {_plain(metrics[key])}" for key in ("seed", "device", "processor") if key in metrics]
    if is_finite_number(seconds := metrics.get("seconds")):
        facts.append(f"{seconds:.0f} seconds")
    if isinstance(versions := metrics.get("versions"), dict):
        facts.append(", ".join(f"{library} {version}" for library, version in versions.items()))
    rows = [_result_row(config, kind, metric, entry, protocol) for metric, entry in metrics["metrics"].items()]
    meanings = [f"- {metric}: {MEANINGS[metric]}" for metric in metrics["metrics"] if metric in MEANINGS]
    theirs = "the paper's BiGAN" if kind is EXTENDED else "published"
    table = [f"| metric | this model | measured on | {theirs} | where |", "| --- | --- | --- | --- | --- |", *rows]
    return "\n".join(
        ["## Results", "", f"Measured on the shipped weights: {'; '.join(facts)}.", "", *table, "", *meanings]
    )


def _result_row(config: ModelConfig, kind: Kind, metric: str, entry: dict[str, Any], protocol: str) -> str:
    unit = str(entry.get("unit", ""))
    value = _figure(entry["value"], unit)
    if entry.get("interval"):
        value += " ({:.2f} to {:.2f})".format(*entry["interval"])
    words = {"num_queries": "queries", "num_references": "references", "num_samples": "samples"}
    sizes = ", ".join(f"{entry[key]:,} {word}" for key, word in words.items() if entry.get(key))
    other = published(config.dataset, kind.row, metric, protocol)
    theirs = f"{_figure(other.value, other.unit)} | {other.source} ({other.protocol} protocol)" if other else "- | -"
    return f"| {_plain(metric)} | {value} | {sizes or '-'} | {theirs} |"


def _failures(config: ModelConfig, kind: Kind, values: dict[str, float]) -> Iterator[str]:
    """What a person should not expect of the model, in words made from its numbers."""
    info = DATASETS.get(config.dataset)
    things = info.noun_plural if info else "images of its data set"
    _, height, width = config.image_shape
    if config.shortcoming("generate"):
        end = "it reads whatever else it is given as one of those"
    elif config.shortcoming("encode"):
        end = "G makes nothing else"
    else:
        end = "whatever else it is given comes back as those"
    yield f"It has only ever seen {things} of {width} x {height} pixels: {end}."
    yield from (sentence.format(things=things) for sentence in kind.failures)
    if (ratio := values.get("EGr/EGr_b")) is not None:
        yield f"G(E(x)) is {_closer(ratio, 'x')}."
    if (ratio := values.get("EGg/EGg_b")) is not None:
        yield f"Not even its own samples come back exactly: G(E(G(z))) is {_closer(ratio, 'G(z)')}."
    if (loss := values.get("JD")) is not None and loss < UNDECIDED:
        certainty = 1 - loss / UNDECIDED
        often = "nearly always" if certainty > 0.75 else "often" if certainty > 0.25 else "sometimes"
        yield (
            f"On training images D {often} tells the two kinds of pair apart: its loss is {loss:.3f} nats, where "
            f"{UNDECIDED:.3f} would mean that it cannot. E and G are only roughly each other's inverse."
        )
    if "latent_round_trip" in values and "latent_round_trip_b" in values:
        near, far = values["latent_round_trip"], values["latent_round_trip_b"]
        yield f"E(G(z)) lies {near:.2f} from z, where another z lies {far:.2f} away."
    if values.get("NNC_e", math.inf) < values.get("NNC_e-", -math.inf):
        output, hidden = values["NNC_e"], values["NNC_e-"]
        yield f"E's output tells classes apart less well than the layer before: {output:.2f} % against {hidden:.2f} %."
    if (distance := values.get("prior_distance")) is not None:
        quite = "" if distance > FAR_FROM_PRIOR else "quite "
        yield f"E(x) does not {quite}follow the prior: its marginals are {distance:.3f} away (Kolmogorov-Smirnov)."


def _decline(history: list[dict[str, float]]) -> Iterator[str]:
    """That training made its features worse, where it did."""
    for metric in ("NNC_e-", "NNC_d"):
        values = [row[metric] for row in history if metric in row]
        if values and values[-1] < values[0] - MUCH_WORSE:
            yield (
                f"Training made its features worse at telling classes apart: {metric} is {values[-1]:.2f} % at the end "
                f"and was {values[0]:.2f} % before the first epoch ({HISTORY_FILE})."
            )


def _map(projection: Projection | None) -> str:
    if projection is None:
        return ""
    lines = ["## Map", "", f"{PROJECTION_FILE} places {len(projection.ids):,} gallery images in the plane.", ""]
    lines += [
        "| space | trustworthiness | label accuracy on the map | in the full space |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {_plain(space)} | {m.trustworthiness:.3f} | {m.label_accuracy_map:.3f} | {m.label_accuracy_full:.3f} |"
        for space, m in projection.maps.items()
    ]
    return "\n".join(lines)


def _values(metrics: dict[str, Any] | None) -> dict[str, float]:
    return {name: entry["value"] for name, entry in metrics["metrics"].items()} if metrics else {}


def _closer(ratio: float, image: str) -> str:
    """How much closer a reconstruction is to its own image than to another one."""
    if ratio >= 1:
        return f"no closer to {image} than to another image (ratio {ratio:.2f})"
    return f"only {100 * (1 - ratio):.0f} % closer to {image} than to another image (ratio {ratio:.2f})"


def _figure(value: float, unit: str) -> str:
    if unit == "%" or unit.endswith("L2"):
        return f"{value:.2f} {unit}"
    return f"{value:.4g} {unit}".rstrip()


def _title(dataset: str) -> str:
    return DATASETS[dataset].title if dataset in DATASETS else _plain(dataset)


def _plain(value: object) -> str:
    """Text for one cell of a table or one line of code."""
    return " ".join(str(value).split()).replace("|", "\\|")
