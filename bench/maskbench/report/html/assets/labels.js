"use strict";
// Names beside marks: each where it covers no mark and no other name, as near as that can be.
const labels = (() => {
  const REACHES = [12, 20, 32, 48, 68, 92, 120, 150];  // px from the mark
  const DIRECTIONS = [30, 150, 330, 210, 60, 120, 300, 240, 0, 180, 90, 270];
  const HEIGHT = 15, MARK = 8;
  const pencil = document.createElement("canvas").getContext("2d");

  const width = (text) => {
    pencil.font = "12px system-ui, sans-serif";
    return pencil.measureText(text).width + 4;
  };
  const overlap = (a, b) =>
    Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) *
    Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));

  // Marks that nearly coincide share one name.
  function joined(marks) {
    const groups = [];
    for (const mark of marks) {
      const near = groups.find((group) => Math.hypot(group.x - mark.x, group.y - mark.y) < 7);
      if (near) near.names.push(mark.name); else groups.push({ ...mark, names: [mark.name] });
    }
    for (const group of groups) {
      const more = group.names.length - 3;
      group.lines = group.names.slice(0, 3);
      if (more > 0) group.lines.push(`and ${more} more`);
    }
    return groups;
  }

  // Small boxes along the line through some points, [[x, y]] in px.
  function along(points) {
    const boxes = [];
    points.slice(1).forEach(([x1, y1], at) => {
      const [x0, y0] = points[at], steps = Math.ceil(Math.hypot(x1 - x0, y1 - y0) / 6);
      for (let step = 0; step < steps; step++) {
        const x = x0 + (x1 - x0) * step / steps, y = y0 + (y1 - y0) * step / steps;
        boxes.push({ left: x - 2, right: x + 2, top: y - 2, bottom: y + 2 });
      }
    });
    return boxes;
  }

  // marks: [{x, y, name, first}] in px of a field of {width, height}; those with `first` choose their place first.
  // bars: boxes that a name covers only where it must.
  // Gives [{x, y, lines, dx, dy}], without those that have no room, and how many those are.
  function place(marks, bars, field) {
    const taken = marks.map(({ x, y }) => ({ left: x - MARK, right: x + MARK, top: y - MARK, bottom: y + MARK }));
    const placed = [];
    const groups = joined(marks).sort((a, b) => Number(b.first) - Number(a.first));
    let dropped = 0;
    for (const group of groups) {
      const half = Math.max(...group.lines.map(width)) / 2, tall = HEIGHT * group.lines.length / 2;
      let best = null;
      for (const reach of REACHES) {
        for (const direction of DIRECTIONS) {
          const angle = direction * Math.PI / 180;
          const dx = Math.cos(angle) * (reach + half), dy = -Math.sin(angle) * (reach + tall / 2);
          const box = { left: group.x + dx - half, right: group.x + dx + half, top: group.y + dy - tall, bottom: group.y + dy + tall };
          if (box.left < 2 || box.right > field.width - 2 || box.top < 2 || box.bottom > field.height - 2) continue;
          if (taken.some((other) => overlap(box, other) > 0)) continue;
          const cost = reach + 1.5 * bars.reduce((sum, bar) => sum + overlap(box, bar), 0);
          if (best === null || cost < best.cost) best = { dx, dy, box, reach, cost };
        }
        if (best !== null && best.cost <= 2 * reach) break;
      }
      if (best === null) {
        dropped += group.names.length;
        continue;
      }
      taken.push(best.box);
      placed.push({ ...group, dx: best.dx, dy: best.dy, far: best.reach > 20 });
    }
    return { placed, dropped };
  }

  // Heights of names at the ends of lines, moved as little as possible until each has its room.
  function spread(heights, gap, low, high) {
    const order = heights.map((_, at) => at).sort((a, b) => heights[a] - heights[b]);
    const blocks = [];  // of names that touch: the mean of where they would be without the gaps below them
    order.forEach((at, step) => {
      blocks.push({ mean: heights[at] - step * gap, size: 1 });
      while (blocks.length > 1 && blocks.at(-2).mean > blocks.at(-1).mean) {
        const last = blocks.pop(), before = blocks.at(-1);
        before.mean = (before.mean * before.size + last.mean * last.size) / (before.size + last.size);
        before.size += last.size;
      }
    });
    const found = [];
    let step = 0;
    for (const { mean, size } of blocks) {
      for (let each = 0; each < size; each++, step++) {
        const height = Math.min(mean + step * gap, high - (order.length - 1 - step) * gap);
        found[order[step]] = Math.max(height, low + step * gap);
      }
    }
    return found;
  }

  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return { along, place, spread, escaped, width };
})();
