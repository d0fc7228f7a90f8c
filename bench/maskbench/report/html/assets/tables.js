"use strict";
// Tables that sort by a header, filter by words and can be downloaded: those of the page, and the one of every number.
(() => {
  const STEP = 50;  // rows of a long table that are shown at once
  const NUMBER = /^[-−]?\d[\d,]*(\.\d+)?(e[-+]?\d+)?/;

  const valueOf = (text) => {
    const found = NUMBER.exec(text.trim());
    return found ? Number(found[0].replaceAll(",", "").replace("−", "-")) : null;
  };

  // A row is {texts, values, file, element}: what is shown, what is sorted by, what goes into a file, and its element.
  function order(rows, column, numeric, down) {
    const empty = (row) => (numeric ? row.values[column] === null : row.texts[column] === "–" || row.texts[column] === "");
    return [...rows].sort((a, b) => {
      if (empty(a) || empty(b)) return empty(a) - empty(b);  // what was not measured is last, either way
      const less = numeric ? a.values[column] - b.values[column]
        : a.texts[column].localeCompare(b.texts[column], "en", { numeric: true });
      return down ? -less : less;
    });
  }

  const latexSpecial = {
    "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "&": "\\&", "%": "\\%", "$": "\\$", "#": "\\#", "_": "\\_",
    "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "\\textless{}", ">": "\\textgreater{}",
    "|": "\\textbar{}", "–": "--", "×": "$\\times$", "…": "\\dots{}", "·": "$\\cdot$", "−": "$-$",
  };
  const latexText = (text) => [...text].map((letter) => latexSpecial[letter] ?? letter).join("");
  const latexLine = (texts) => `${texts.map(latexText).join(" & ")} \\\\`;

  function latex(model, rows) {
    const columns = model.headers.map((_, column) => (model.numeric[column] ? "r" : "l")).join("");
    return [
      "% \\usepackage{booktabs}", "\\begin{table}", `\\caption{${latexText(model.caption)}}`,
      `\\begin{tabular}{${columns}}`, "\\toprule", latexLine(model.headers), "\\midrule",
      ...rows.map((row) => latexLine(row.texts)), "\\bottomrule", "\\end{tabular}", "\\end{table}", "",
    ].join("\n");
  }

  const csvCell = (text) => {
    // A spreadsheet would run what starts like a formula.
    const plain = /^[=+@\t-]/.test(text) && !NUMBER.test(text) ? `'${text}` : text;
    return /[",\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
  };
  const csv = (model, rows) =>
    [model.fileHeaders, ...rows.map((row) => row.file)].map((line) => line.map(csvCell).join(",")).join("\n") + "\n";

  function save(name, text, type) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // Puts the controls above a table; `body` shows the rows that `model` holds, `limit` of them at first.
  function enhance(model, heads, body, controls, limit) {
    let sorted = null, down = false, words = [], shown = limit;
    const count = Object.assign(document.createElement("span"), { className: "count" });
    count.setAttribute("aria-live", "polite");
    const more = Object.assign(document.createElement("button"), { type: "button", textContent: "Show more" });
    const rows = () => {
      const matching = model.rows.filter((row) => {
        row.words ??= row.texts.join(" ").toLowerCase();
        return words.every((word) => row.words.includes(word));
      });
      return sorted === null ? matching : order(matching, sorted, model.numeric[sorted], down);
    };
    const render = () => {
      const found = rows();
      body.replaceChildren(...found.slice(0, shown).map((row) => (row.element ??= model.build(row))));
      const visible = Math.min(shown, found.length);
      const total = `${model.rows.length} ${model.rows.length === 1 ? "row" : "rows"}`;
      count.textContent = visible < model.rows.length ? `${visible} of ${total}` : total;
      more.hidden = visible >= found.length;
    };
    heads.forEach((head, column) => {
      const button = Object.assign(document.createElement("button"), { type: "button" });
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        down = sorted === column ? !down : model.numeric[column];
        sorted = column;
        heads.forEach((each, at) => each.setAttribute("aria-sort", at !== column ? "none" : down ? "descending" : "ascending"));
        render();
      });
    });
    const label = document.createElement("label");
    const filter = Object.assign(document.createElement("input"), { type: "search", placeholder: "words" });
    label.append("Filter", filter);
    filter.addEventListener("input", () => {
      words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      shown = limit;
      render();
    });
    const download = (title, extension, write, type) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: title });
      button.setAttribute("aria-label", `Download ${model.name} as ${title}`);
      button.addEventListener("click", () => save(`${model.name}.${extension}`, write(model, rows()), type));
      return button;
    };
    if (model.rows.length > 5) controls.append(label);
    controls.append(download("CSV", "csv", csv, "text/csv"), download("LaTeX", "tex", latex, "text/x-tex"), count, more);
    more.addEventListener("click", () => { shown += 4 * STEP; render(); });
    render();
  }

  function ofPage(place) {
    const table = place.querySelector("table");
    const heads = [...table.tHead.rows[0].cells];
    const headers = heads.map((head) => head.textContent.trim());
    const rows = [...table.tBodies[0].rows].map((element) => {
      const texts = [...element.cells].map((cell) => cell.textContent.trim().replace(/\s+/g, " "));
      return { element, texts, file: texts, values: texts.map(valueOf) };
    });
    const numeric = heads.map((head) => head.classList.contains("number"));
    const model = { name: place.dataset.name, caption: table.caption.textContent, headers, fileHeaders: headers, numeric, rows };
    const controls = Object.assign(document.createElement("div"), { className: "controls" });
    place.prepend(controls);
    enhance(model, heads, table.tBodies[0], controls, Infinity);
  }

  const shownNumber = (value, digits) =>
    value === null || value[0] === null ? ["–", ""]
      : [value[0].toFixed(digits), value[1] === null ? "" : `[${value[1].toFixed(digits)}, ${value[2].toFixed(digits)}]`];

  function ofEveryNumber(place, controls, found) {
    const { columns } = found;
    const rows = found.rows.map((cells) => {
      const parts = cells.map((cell, at) => (columns[at].numeric ? shownNumber(cell, columns[at].digits) : [cell, ""]));
      return {
        parts,
        texts: parts.map((part) => part.filter(Boolean).join(" ")),
        values: cells.map((cell, at) => (columns[at].numeric ? cell?.[0] ?? null : valueOf(cell))),
        file: cells.flatMap((cell, at) => (columns[at].numeric ? (cell ?? [null, null, null]).map((each) => each ?? "").map(String) : [cell])),
      };
    });
    const element = (tag, text, className) => Object.assign(document.createElement(tag), { textContent: text, className });
    const build = (row) => {
      const line = document.createElement("tr");
      row.parts.forEach(([text, interval], at) => {
        const cell = element(at === 0 ? "th" : "td", text, columns[at].numeric ? "number" : "");
        if (at === 0) cell.scope = "row";
        if (interval) cell.append(" ", element("span", interval, "interval"));
        line.append(cell);
      });
      return line;
    };
    const table = document.createElement("table");
    const caption = document.createElement("caption");
    caption.append(element("div", `${found.title}. ${found.same}Rest on a header to read what it means.`, ""));
    table.append(caption);
    const head = table.createTHead().insertRow();
    const heads = columns.map((column) => {
      const cell = element("th", column.title, column.numeric ? "number" : "");
      cell.scope = "col";
      cell.title = column.explains;
      head.append(cell);
      return cell;
    });
    const body = table.createTBody();
    const scroll = Object.assign(document.createElement("div"), { className: "scroll", tabIndex: 0 });
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", found.title);
    scroll.append(table);
    place.replaceChildren(scroll);
    const model = {
      name: found.name, caption: table.caption.textContent, rows, build,
      headers: columns.map((column) => column.title),
      fileHeaders: columns.flatMap(({ title, numeric }) => (numeric ? [title, `${title} low`, `${title} high`] : [title])),
      numeric: columns.map((column) => column.numeric),
    };
    enhance(model, heads, body, controls, STEP);
  }

  document.querySelectorAll(".table[data-name]").forEach(ofPage);
  const numbers = JSON.parse(document.getElementById("numbers-data").textContent);
  const controls = document.getElementById("numbers-controls");
  const place = document.getElementById("numbers-table");
  const show = (name) => {
    controls.querySelectorAll(":scope > :not(.kind)").forEach((each) => each.remove());
    ofEveryNumber(place, controls, numbers.find((found) => found.name === name));
  };
  if (numbers.length) {
    const options = numbers.map((found) => [found.name, `${found.title} (${found.rows.length})`]);
    choice(controls, "Kind", options, numbers[0].name, show).parentElement.classList.add("kind");
    show(numbers[0].name);
  }
})();
