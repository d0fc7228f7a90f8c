"""The words of a leakage report, section by section. It says what was measured, and gives no clearance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from maskbench.report.hidden import hidden_shares
from maskbench.report.text import NOT_MEASURED
from maskbench.results.measure import planned_of
from maskbench.runfolder.folder import RunFolder

LEARNS: Mapping[str, str] = {
    "": "nothing",
    "raw": "raw pictures of its own",
    "pairs": "raw pictures of its own, and their releases",
    "releases": "releases of its own pictures",
    "restorations": "restored releases of its own pictures",
    "masks": "masks alone",
}
"""What an attack learns from, in words."""

_RISKS = {
    ("matching", ""): "singling out: whose release is this?",
    ("linkage", ""): "linkability: are these two releases of one picture?",
    ("person-linkage", ""): "linkability: are these two releases of one person?",
    ("inference", "sensitive"): "inference of {sensitive}",
    ("inference", "target"): "inference of {target}",
    ("restoration", ""): "restoration of what was hidden",
}
_UNITS = {
    "advantage": 100.0,
    "rank_1": 100.0,
    "link_rank_1": 100.0,
    "person_rank_1": 100.0,
    "ssim_hole": 1.0,
    "information": 1.0,
}
_METRICS = {
    "advantage": "advantage %",
    "rank_1": "found at once %",
    "link_rank_1": "found at once %",
    "person_rank_1": "found at once %",
    "ssim_hole": "SSIM in the hole",
    "information": "bits",
}


def release(run: RunFolder) -> dict[str, Any]:
    """What is released, and to whom."""
    data = run.provenance["data"]
    audited = data.get("released")
    own = sorted({str(name) for name in run.cells.loc[run.cells["role"] == "method", "method"]})
    sensitive = f"The sensitive label is {data['sensitive']}." if data["sensitive"] else "There is no sensitive label."
    made = (
        "The release was made elsewhere: maskbench measured the pictures that it was given, and never ran the tool."
        if audited
        else f"Methods that were measured: {', '.join(own) or 'none but the controls'}."
    )
    sentences = [
        f"Pictures: {run.cells['dataset'].iloc[0]}, {_sizes(data.get('sizes', {}))}.",
        f"The recognizer learns {run.cells['target'].iloc[0]}. {sensitive}",
        made,
        "A recipient gets all released pictures of owner-train with their task labels, and masks where the method "
        "hands them out.",
        "Recipient and purpose: a run does not know them. Write them here before this report is filed.",
        *(str(note) for note in data.get("notes", [])),
    ]
    return {"sentences": sentences, "tables": []}


def attacker(run: RunFolder) -> dict[str, Any]:
    """Who attacks, and with what."""
    data = run.provenance["data"]
    own = sum(data.get("sizes", {}).get(split, 0) for split in ("attacker_train", "attacker_validation"))
    knows = (
        "It owns the pairs of raw and released pictures on its side, as someone does who ran the same tool."
        if data.get("released")
        else "It knows the method and its parameters, and runs the method on its own pictures as often as it likes. "
        "It has no key and no network of the owner's."
    )
    sentences = [
        "The attacker is whoever gets the release, or finds it.",
        f"It has {own} raw pictures of the same kind with their labels: none of them is the owner's." if own else "",
        knows,
        "It has the whole release with its task labels, so its guess without a picture already uses the task label.",
        "It picks its strongest attack on pictures of its own, and is then scored on the owner's.",
        f"Threat model: {run.provenance.get('threat_model', {}).get('name', 'not recorded')}.",
    ]
    return {"sentences": [text for text in sentences if text], "tables": []}


def attacks(run: RunFolder, rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Which attacks ran, and which kinds did not."""
    kinds = set(run.cells.loc[(run.cells["role"] == "method") & (run.cells["status"] == "ok"), "attack_kind"])
    missing = {
        "matching": "No matching attack was run: singling out was not measured.",
        "linkage": "No matching attack was asked to link two releases: linkability was not measured.",
        "person-linkage": "No matching attack was asked to link persons, or the data do not say who is on a picture: "
        "whether two releases are of one person was not measured.",
        "inference": "No inference attack was run: what can be told of a label was not measured.",
        "restoration": "No restoration attack was run: what can be won back of a picture was not measured.",
    }
    return {
        "sentences": [
            *(text for kind, text in missing.items() if kind not in kinds),
            "An attack that did not run on a method says nothing about that method.",
        ],
        "tables": [
            {
                "title": "Attacks on the methods; the controls aside",
                "columns": ["attack", "kind", "learns from", "ran", "why not"],
                "rows": [list(row) for row in rows],
            }
        ],
    }


def risks(run: RunFolder, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The risks, a table for each: the methods below both controls, in the mean and worst off."""
    asked = dict.fromkeys((each["kind"], each["label"]) for each in found if each["role"] == "method")
    order = list(_RISKS)
    tables = [
        _risk_table(run, [each for each in found if (each["kind"], each["label"]) == risk])
        for risk in sorted(asked, key=lambda risk: order.index(risk) if risk in order else len(order))
    ]
    sentences = [
        "Each number belongs to the strongest attack of its kind, with its 95 % interval. Higher is worse.",
        "Both controls stand first: the same attacks on raw pictures, and on fully masked ones.",
        "The mean hides people who are fully exposed. So the most exposed 1 % and 5 % of the pictures stand apart.",
        "The most exposed pictures of a control look exposed too, by chance: compare with it.",
    ]
    return {"sentences": sentences, "tables": tables}


def _risk_table(run: RunFolder, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first = found[0]
    title, metric, worst_metric = _risk(run, first), _METRICS[first["metric"]], _METRICS[first["worst_metric"]]
    worst = [f"worst {100 * float(share):g} %" for share in first["worst_off"]]
    if first["guess"]:
        title += f" A guess is right once in {1 / first['guess']:,.0f}."
    hidden = _hidden(run)
    unit = "" if worst_metric == metric else f", {worst_metric}"
    controls = [each for role in ("raw", "null") for each in found if each["role"] == role]
    rows = [
        [
            each["method"] + ("" if each["role"] == "method" else " (control)"),
            hidden(each),
            _shown(each["success"], each["metric"]),
            *(_shown(number, each["worst_metric"]) for number in each["worst_off"].values()),
            each["attack"],
            str(each["images"]),
        ]
        for each in (*controls, *(each for each in found if each["role"] == "method"))
    ]
    columns = ["method", "hidden", metric, *(f"{name}{unit}" for name in worst), "attack", "pictures"]
    return {"title": title[0].upper() + title[1:], "columns": columns, "rows": rows}


def groups(run: RunFolder, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Who of the sensitive classes is told more often."""
    if not found:
        why = (
            "The run has no sensitive label, so no groups can be compared. Name one with --sensitive."
            if run.inferred != "sensitive"
            else "The strongest inference left no outcomes of single pictures to compare groups by."
        )
        return {"sentences": [why], "tables": []}
    hidden = _hidden(run)
    rows = [
        [
            each["method"],
            hidden(each),
            each["class"],
            _shown(each["recognized"], "advantage"),
            _shown(each["bits"], "information"),
            str(each["images"]),
        ]
        for each in found
        if each["role"] == "method"
    ]
    sensitive = run.cells["sensitive"].iloc[0]
    return {
        "sentences": [
            f"How often the strongest inference is right of pictures of each class of {sensitive}, and what it learns.",
            "A group that is told often is exposed, however small it is. A rare group may be missed for lack of "
            "pictures.",
        ],
        "tables": [
            {
                "title": f"By class of {sensitive}",
                "columns": ["method", "hidden", "class", "told rightly %", "bits", "pictures"],
                "rows": rows,
            }
        ],
    }


def epsilon(claimed: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a method claims, and what an attack proves."""
    if not claimed:
        return {"sentences": ["No method of this run claims a privacy budget ε."], "tables": []}
    rows = [
        [
            each["method"],
            f"{each['epsilon']:g}",
            each["about"],
            NOT_MEASURED if each["measured"] is None else f"at least {each['measured']:.2f}",
        ]
        for each in claimed
    ]
    return {
        "sentences": [
            "The measured ε is a lower bound, for whole pictures: the strongest inference proves that no smaller one "
            "holds, with 95 % confidence.",
            "A claim about few pixels says little of whole pictures. A low measured ε proves no claim.",
        ],
        "tables": [
            {
                "title": "Claimed and measured",
                "columns": ["method", "claimed ε", "for two pictures that", "measured ε"],
                "rows": rows,
            }
        ],
    }


def unknown(run: RunFolder) -> dict[str, Any]:
    """What the run cannot say."""
    cells = planned_of(run.cells)
    failed = int((cells["status"] == "failed").sum())
    unavailable = int((cells["status"] == "unavailable").sum())
    flags = dict.fromkeys(f"{flag.title[0].upper()}{flag.title[1:]}: {flag.action}" for flag in run.flags)
    sentences = [
        "No attack gives an upper bound: a stronger one may exist, or be found later.",
        "Leakage was measured on these pictures. Other pictures, cameras or people may be exposed more.",
        "What else a recipient holds, such as other releases of the same people, was not modelled.",
    ]
    if failed:
        sentences.append(f"{failed} cells failed. A strongest attack is not known where one of its attacks failed.")
    if unavailable:
        sentences.append(f"{unavailable} cells could not run here.")
    if run.provenance["data"].get("released"):
        sentences.append(
            "The tool was not run by maskbench. Whether it draws anew for each picture, and what attacks would learn "
            "from several draws, is not known."
        )
    return {"sentences": [*sentences, *flags], "tables": []}


def again(run: RunFolder) -> dict[str, Any]:
    """When the numbers no longer stand."""
    day = str(run.provenance["finished"])[:10] if "finished" in run.provenance else "an unknown day"
    return {
        "sentences": [
            f"These numbers are of {day}, by maskbench {run.provenance['maskbench']}.",
            "Look again before more pictures are released, or to other recipients.",
            "Look again when the method, its parameters or the pictures change.",
            "Look again when the attacks of maskbench change: its change log names them.",
            "Look again when the recipient may hold more pictures of the same people than the attacker had here.",
        ],
        "tables": [],
    }


def _sizes(sizes: Mapping[str, int]) -> str:
    if not sizes:
        return "of unknown number"
    named = ", ".join(f"{count} {split.replace('_', '-')}" for split, count in sizes.items())
    return f"{sum(sizes.values())} in all ({named})"


def _risk(run: RunFolder, each: Mapping[str, Any]) -> str:
    first = run.cells.iloc[0]
    text = _RISKS.get((each["kind"], each["label"]), f"{each['kind']} {each['label']}".strip())
    return text.format(sensitive=first["sensitive"], target=first["target"])


def _hidden(run: RunFolder) -> Callable[[Mapping[str, Any]], str]:
    """What to call the share that the method of a record hides."""
    shares = hidden_shares(run.cells)
    return lambda each: shares(each["method"], float("nan") if each["ratio"] is None else each["ratio"])


def _shown(number: Mapping[str, float | None], metric: str) -> str:
    if number["value"] is None:
        return NOT_MEASURED
    unit = _UNITS[metric]
    digits = 1 if unit == 100 else 2
    text = f"{unit * number['value']:.{digits}f}"
    low, high = number["low"], number["high"]
    return text if low is None or high is None else f"{text} [{unit * low:.{digits}f}, {unit * high:.{digits}f}]"
