"use strict";
// Accuracy against leakage, under the reader's choices.
(() => {
  const data = JSON.parse(document.getElementById("plot-data").textContent);
  const place = document.getElementById("plot");
  const controls = document.getElementById("plot-controls");
  const note = document.getElementById("plot-note");
  const { escaped } = labels;
  const unique = (values) => [...new Set(values)];
  const measured = (kind) => data.points.some((point) => point.accuracy && point.leaks[kind].strongest);
  const kinds = Object.keys(data.axes).filter(measured);
  if (!kinds.length) {
    place.remove();
    note.textContent = "No method of this run has both an accuracy and a leakage over all seeds, so there is nothing to draw.";
    return;
  }
  const state = {
    run: "0", recognizer: "", ratio: "all", judged: "strongest",
    kind: kinds.includes(data.runs[0].leakage) ? data.runs[0].leakage : kinds[0],
  };
  const share = (ratio) => `${Math.round(100 * ratio)} %`;

  function offer() {
    controls.replaceChildren();
    const set = (name, rebuild) => (value) => { state[name] = value; if (rebuild) offer(); draw(); };
    choice(controls, "Run", data.runs.map((run, at) => [String(at), `${run.name}: ${run.title}`]), state.run, set("run", true));
    const mine = data.points.filter((point) => String(point.run) === state.run);
    const recognizers = unique(mine.map((point) => point.recognizer));
    if (!recognizers.includes(state.recognizer)) state.recognizer = recognizers[0];
    choice(controls, "Recognizer", recognizers.map((name) => [name, name]), state.recognizer, set("recognizer"));
    const ratios = unique(mine.filter((point) => point.role === "method" && point.ratio !== null).map((point) => point.ratio)).sort();
    if (state.ratio !== "all" && !ratios.map(String).includes(state.ratio)) state.ratio = "all";
    choice(controls, "Share hidden", [["all", "all"], ...(ratios.length > 1 ? ratios.map((ratio) => [String(ratio), share(ratio)]) : [])], state.ratio, set("ratio"));
    choice(controls, "Leakage to", kinds.map((kind) => [kind, kind === "inference" ? `inference of ${data.runs[state.run].infers}` : kind]), state.kind, set("kind"));
    choice(controls, "Attack", [["strongest", "strongest that an attacker can choose"], ["oracle", "oracle: best for each picture"]], state.judged, set("judged"));
  }

  const chosen = (point) =>
    String(point.run) === state.run && point.recognizer === state.recognizer &&
    (state.ratio === "all" || point.ratio === null || point.role !== "method" || String(point.ratio) === state.ratio);
  const leak = (point) => point.leaks[state.kind][state.judged];

  // The methods that nothing, raw and full mask included, equals or beats in both; from left to right.
  function frontier(points) {
    const beats = (one, other) => one !== other && one.accuracy[0] >= other.accuracy[0] && leak(one)[0] <= leak(other)[0] &&
      (one.accuracy[0] > other.accuracy[0] || leak(one)[0] < leak(other)[0]);
    return points.filter((point) => point.role === "method" && !points.some((other) => beats(other, point)))
      .sort((a, b) => leak(a)[0] - leak(b)[0]);
  }

  function range(values, least) {
    const low = Math.min(...values), high = Math.max(...values);
    const room = Math.max(0.08 * (high - low), least);
    return [low - room, high + room];
  }

  function draw() {
    const axis = data.axes[state.kind], run = data.runs[state.run];
    const axisTitle = state.kind === "inference" ? `advantage on ${run.label}, %` : axis.title;
    const mine = data.points.filter(chosen);
    const points = mine.filter((point) => point.accuracy && leak(point));
    const x = (point) => leak(point).slice(0, 3).map((value) => (value === null ? null : axis.scale * value));
    const y = (point) => point.accuracy.map((value) => (value === null ? null : 100 * value));
    const ink = theme.colour("ink"), quiet = theme.colour("quiet"), line = theme.colour("line");
    const narrow = place.clientWidth < 520;
    const margin = { l: narrow ? 46 : 60, r: 12, t: 26, b: 54 };
    const field = { width: place.clientWidth - margin.l - margin.r, height: place.clientHeight - margin.t - margin.b };
    const all = (of) => points.flatMap(of).filter((value) => value !== null);
    const xs = range(all(x), axis.scale / 100), ys = range(all(y), 1);
    const across = (value) => (value - xs[0]) / (xs[1] - xs[0]) * field.width;
    const down = (value) => field.height - (value - ys[0]) / (ys[1] - ys[0]) * field.height;

    const onFrontier = frontier(points);
    const shares = (method) => unique(points.filter((point) => point.method === method).map((point) => point.ratio)).length;
    const name = (point) => point.role === "raw" ? "raw" : point.role === "null" ? "full mask (chance)"
      : point.name + (shares(point.method) > 1 ? ` ${point.hidden}` : "");
    const text = ([value, low, high], digits) => `${value.toFixed(digits)}${low === null ? "" : ` [${low.toFixed(digits)}, ${high.toFixed(digits)}]`}`;
    const traces = [{
      type: "scatter", mode: "lines", x: onFrontier.map((point) => x(point)[0]), y: onFrontier.map((point) => y(point)[0]),
      line: { color: quiet, width: 5 }, opacity: 0.28, hoverinfo: "skip", name: "frontier",
    }];
    for (const method of unique(points.map((point) => point.method))) {
      const own = points.filter((point) => point.method === method).sort((a, b) => a.ratio - b.ratio);
      const reach = (values) => ({
        type: "data", symmetric: false, color: own[0].colour, thickness: 1, width: 0,
        array: values.map(([value, , high]) => (high === null ? 0 : Math.max(0, high - value))),
        arrayminus: values.map(([value, low]) => (low === null ? 0 : Math.max(0, value - low))),
      });
      traces.push({
        type: "scatter", mode: own.length > 1 ? "lines+markers" : "markers", name: method,
        x: own.map((point) => x(point)[0]), y: own.map((point) => y(point)[0]),
        error_x: reach(own.map(x)), error_y: reach(own.map(y)),
        line: { color: own[0].colour, width: 1, dash: "dot" },
        marker: { symbol: own[0].symbol, size: 11, color: own[0].colour, line: { color: ink, width: own[0].role === "method" ? 0.8 : 2 } },
        text: own.map((point) =>
          `<b>${escaped(point.method)}</b>${point.hidden ? `<br>${escaped(point.hidden)} hidden` : ""}` +
          `<br>accuracy ${text(y(point), 1)} %<br>${escaped(axisTitle)} ${text(x(point), axis.digits)}` +
          `${leak(point)[3] ? `<br>by ${escaped(leak(point)[3])}` : ""}`),
        hovertemplate: "%{text}<extra></extra>",
      });
    }
    const marks = points.map((point) => ({
      x: across(x(point)[0]), y: down(y(point)[0]), name: name(point), first: onFrontier.includes(point) || point.role !== "method",
    }));
    const bars = points.flatMap((point) => {
      const [px, py] = [across(x(point)[0]), down(y(point)[0])];
      const wide = x(point)[1] === null ? [px, px] : x(point).slice(1).map(across);
      const tall = y(point)[1] === null ? [py, py] : y(point).slice(1).map(down);
      return [{ left: wide[0], right: wide[1], top: py - 1, bottom: py + 1 }, { left: px - 1, right: px + 1, top: tall[1], bottom: tall[0] }];
    });
    const joined = [onFrontier, ...unique(points.map((point) => point.method)).map((method) => points.filter((point) => point.method === method).sort((a, b) => a.ratio - b.ratio))];
    const lines = joined.flatMap((own) => labels.along(own.map((point) => [across(x(point)[0]), down(y(point)[0])])));
    const { placed, dropped } = labels.place(marks, [...bars, ...lines], field);
    const annotations = placed.map((label) => ({
      x: xs[0] + label.x / field.width * (xs[1] - xs[0]), y: ys[0] + (field.height - label.y) / field.height * (ys[1] - ys[0]),
      ax: label.dx, ay: label.dy, text: label.lines.map(escaped).join("<br>"), showarrow: true, arrowhead: 0, arrowwidth: 0.8,
      arrowcolor: label.far ? quiet : "rgba(0,0,0,0)", font: { size: 12, color: ink }, standoff: 6, bgcolor: "rgba(0,0,0,0)", borderpad: 0,
    }));
    if (!(run.probe && state.kind === "inference")) {
      annotations.push({ xref: "paper", yref: "paper", x: 0, y: 1, xanchor: "left", yanchor: "bottom", showarrow: false, text: "<b>↖ better</b>: keeps more, leaks less", font: { size: 12, color: quiet } });
    }
    const shapes = [];
    const chance = points.find((point) => point.role === "null");
    if (chance) {
      const [at, low, high] = x(chance);
      shapes.push({ type: "line", x0: at, x1: at, yref: "paper", y0: 0, y1: 1, line: { color: quiet, width: 1, dash: "dash" }, layer: "below" });
      if (low !== null) shapes.push({ type: "rect", x0: low, x1: high, yref: "paper", y0: 0, y1: 1, fillcolor: quiet, opacity: 0.1, line: { width: 0 }, layer: "below" });
    }
    const frame = { gridcolor: line, zeroline: false, linecolor: quiet, showline: true, ticks: "outside", tickcolor: quiet, fixedrange: narrow };
    Plotly.react(place, traces, {
      margin, showlegend: false, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: ink, size: 12, family: "system-ui, sans-serif" },
      xaxis: { ...frame, range: xs, title: { text: (state.judged === "oracle" ? "oracle’s " : narrow ? "" : "strongest attack’s ") + axisTitle, standoff: 10 } },
      yaxis: { ...frame, range: ys, title: { text: "accuracy on owner-test, %", standoff: 6 } },
      hovermode: "closest", hoverlabel: { bgcolor: theme.colour("raised"), bordercolor: quiet, font: { color: ink } }, annotations, shapes,
      modebar: { bgcolor: "rgba(0,0,0,0)", color: quiet, activecolor: ink },
    }, { displaylogo: false, responsive: false, displayModeBar: narrow ? false : "hover", modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] });

    const absent = mine.filter((point) => !points.includes(point));
    const why = (point) => !point.accuracy ? point.why.accuracy || "its accuracy is not known over all seeds" : point.why[state.kind] || "not known over all seeds";
    const outlined = state.kind === "inference" ? points.filter((point) => point.shape && point.role === "method") : [];
    note.textContent = [
      `${run.title}${run.note ? ` (methods: ${run.note})` : ""}. ${axis.explains}`,
      run.probe && state.kind === "inference" ? "These data have no sensitive label: what is inferred is the task itself, so this is a probe and no leak." : "",
      onFrontier.length ? `On the frontier: ${onFrontier.map(name).join(", ")}.` : "",
      outlined.length ? `Attacked by the shape of the masks alone, never by the pixels: ${unique(outlined.map((point) => point.name)).join(", ")}.` : "",
      dropped ? `${dropped} names have no room: touch or point at a mark to read its own.` : "",
      absent.length ? `Not drawn: ${absent.map((point) => `${point.method}${point.hidden ? ` ${point.hidden}` : ""} (${why(point)})`).join("; ")}.` : "",
    ].filter(Boolean).join(" ");
  }

  offer();
  draw();
  theme.whenChanged(draw);
  let width = place.clientWidth;
  addEventListener("resize", () => { if (place.clientWidth !== width) { width = place.clientWidth; draw(); } });
})();
