"use strict";
// Curves with their names at their ends, a panel each.
(() => {
  const data = JSON.parse(document.getElementById("curves-data").textContent);
  const place = document.getElementById("curve-panels");
  if (!place) return;
  const { escaped } = labels;
  const GAP = 15;

  function draw(panel, { title, x, least, curves }) {
    const ink = theme.colour("ink"), quiet = theme.colour("quiet"), line = theme.colour("line");
    const widest = Math.max(...curves.map((curve) => labels.width(curve.name)));
    const margin = { l: 46, r: Math.min(widest + 16, 0.42 * panel.clientWidth), t: 34, b: 48 };
    const height = panel.clientHeight - margin.t - margin.b;
    const values = curves.flatMap((curve) => curve.points.flatMap((point) => point.slice(1))).filter((value) => value !== null);
    const spread = Math.max(...values) - Math.min(...values);
    const room = Math.max(0.06 * spread, (least - spread) / 2);
    const range = [Math.min(...values) - room, Math.max(...values) + room];
    const up = (value) => (value - range[0]) / (range[1] - range[0]) * height;
    const ticks = [...new Set(curves.flatMap((curve) => curve.points.map((point) => point[0])))].sort((a, b) => a - b);
    const traces = curves.flatMap((curve) => {
      const xs = curve.points.map((point) => point[0]);
      const colour = curve.control ? quiet : curve.colour;
      const band = {
        type: "scatter", mode: "lines", x: [...xs, ...[...xs].reverse()], fill: "toself", fillcolor: colour, opacity: 0.14,
        y: [...curve.points.map((point) => point[3]), ...[...curve.points].reverse().map((point) => point[2])], line: { width: 0 }, hoverinfo: "skip",
      };
      return [band, {
        type: "scatter", mode: curve.control ? "lines" : "lines+markers", x: xs, y: curve.points.map((point) => point[1]), name: curve.name,
        line: { color: colour, width: 1.8, dash: curve.control ? "dash" : "solid" }, marker: { symbol: curve.symbol, size: 7, color: colour },
        hovertemplate: `<b>${escaped(curve.name)}</b><br>%{x:.0%}: %{y:.3~f}<extra></extra>`,
      }];
    });
    const ends = curves.map((curve) => curve.points.at(-1));
    const heights = labels.spread(ends.map((point) => up(point[1])), Math.min(GAP, height / curves.length), 0, height);
    const letters = (name) => { const most = Math.floor((margin.r - 14) / 6.4); return name.length > most ? `${name.slice(0, most - 1)}…` : name; };
    const annotations = curves.map((curve, at) => ({
      xref: "paper", x: 1, y: range[0] + heights[at] / height * (range[1] - range[0]), xanchor: "left", showarrow: false,
      text: escaped(letters(curve.name)), font: { size: 11.5, color: ink }, xshift: 12,
    }));
    const stems = curves.map((curve, at) => ({
      type: "line", xref: "paper", x0: 1, x1: 1, xsizemode: "pixel", xanchor: 1, yref: "y",
      y0: ends[at][1], y1: range[0] + heights[at] / height * (range[1] - range[0]), line: { color: curve.control ? quiet : curve.colour, width: 1 },
    })).map((stem) => ({ ...stem, x0: 1, x1: 11 }));
    const frame = { gridcolor: line, zeroline: false, linecolor: quiet, showline: true, fixedrange: true };
    Plotly.react(panel, traces, {
      margin, showlegend: false, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: ink, size: 12, family: "system-ui, sans-serif" },
      title: { text: escaped(title), font: { size: 13.5, color: ink }, x: 0, xref: "paper", xanchor: "left", y: 0.97 },
      xaxis: { ...frame, range: [ticks[0] - 0.03 * (ticks.at(-1) - ticks[0]), ticks.at(-1) + 0.015 * (ticks.at(-1) - ticks[0])], tickvals: ticks, ticktext: ticks.map((tick) => `${Math.round(100 * tick)} %`), title: { text: escaped(x), standoff: 8 } },
      yaxis: { ...frame, range }, hovermode: "closest", annotations, shapes: stems,
      hoverlabel: { bgcolor: theme.colour("raised"), bordercolor: quiet, font: { color: ink } },
    }, { displayModeBar: false });
  }

  const panels = data.map((panel) => {
    const div = document.createElement("div");
    div.setAttribute("role", "figure");
    div.setAttribute("aria-label", `${panel.title}, against the ${panel.x}`);
    place.append(div);
    return [div, panel];
  });
  const all = () => panels.forEach(([div, panel]) => draw(div, panel));
  all();
  theme.whenChanged(all);
  let width = place.clientWidth;
  addEventListener("resize", () => { if (place.clientWidth !== width) { width = place.clientWidth; all(); } });
})();
