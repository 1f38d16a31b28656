// The device's log, line by line as it comes.
const most = 600; // lines on the page
const list = () => document.getElementById("log");
let filter = "";

export function clearLog() {
  list().replaceChildren();
}

const span = (cls, s) => {
  const el = document.createElement("span");
  el.className = cls;
  el.textContent = s;
  return el;
};

const word = (v) => (v !== null && typeof v === "object" ? JSON.stringify(v) : v);

// line turns one JSON record of the journal into a readable one, its counters
// into a hint; whatever is not JSON stands as it is.
function line(raw) {
  const li = document.createElement("li");
  let r;
  try {
    r = JSON.parse(raw);
  } catch {
    r = null;
  }
  if (!r || typeof r !== "object") {
    li.textContent = raw;
    return li;
  }
  const { time, t, lvl, level, code, msg, src, tx, f, seq, boot, up, log, ...rest } = r;
  const when = document.createElement("time");
  const stamp = String(time ?? t ?? "");
  when.textContent = (stamp.match(/T(\d\d:\d\d:\d\d(?:\.\d{1,3})?)/) || [, stamp])[1].padEnd(12);
  li.dataset.level = String(lvl ?? level ?? "INFO").toUpperCase();
  li.title = Object.entries({ seq, boot, up, log }).filter(([, v]) => v !== undefined).map(([k, v]) => `${k} ${v}`).join("  ");
  const fields = Object.entries({ ...rest, ...f }).map(([k, v]) => `${k}=${word(v)}`);
  if (tx) fields.push("tx=" + tx);
  li.append(when, " ", span("level", li.dataset.level.padEnd(5)), " ", span("code", [code, msg].filter(Boolean).join(" ")), " ", span("source", src ?? ""), " ", span("rest", fields.join("  ")));
  return li;
}

const fits = (li) => !filter || li.textContent.toLowerCase().includes(filter);

export function addLog(lines) {
  const box = list();
  const follow = box.scrollHeight - box.scrollTop - box.clientHeight < 30;
  for (const raw of lines.slice(-most)) {
    const li = line(raw);
    li.hidden = !fits(li);
    box.append(li);
  }
  while (box.children.length > most) box.firstChild.remove();
  if (follow) box.scrollTop = box.scrollHeight;
}

export function setupLog() {
  document.getElementById("filter").addEventListener("input", (e) => {
    filter = e.target.value.toLowerCase();
    for (const li of list().children) li.hidden = !fits(li);
  });
}
