// What is around the device. The controls say in index.html what they do:
//   data-cmd="host answer late {late}"   sends this line; {late} is a field's value
//   data-path + data-value               a chip is pressed while state has this value
//   data-switch, data-on, data-off       a switch over one state and two lines
//   data-text, data-zero, data-open, data-show, data-press   state shown
import { current, send } from "./main.js";
import { showCards } from "./device.js";

const byID = (id) => document.getElementById(id);
const at = (s, path) => path.split(".").reduce((v, k) => v?.[k], s);

let wallAt = 0; // performance.now() when the wall below was read
let wall = 0;
let zone = 0;

const unknown = (v) => v === undefined || v === null || v === -1 || v === "";

export function showWorld(s) {
  wall = s.clock.wall_ms;
  zone = s.clock.zone;
  wallAt = performance.now();
  tick();
  showCards(s);
  for (const el of document.querySelectorAll("[data-path]")) {
    const now = String(at(s, el.dataset.path) ?? "").split(" ")[0];
    for (const b of el.querySelectorAll("[data-value]")) b.setAttribute("aria-pressed", b.dataset.value === now);
  }
  for (const el of document.querySelectorAll("[data-switch]")) el.setAttribute("aria-checked", Boolean(at(s, el.dataset.switch)));
  for (const el of document.querySelectorAll("[data-press]")) el.setAttribute("aria-pressed", Boolean(at(s, el.dataset.press)));
  for (const el of document.querySelectorAll("[data-real]")) el.dataset.isReal = Boolean(at(s, el.dataset.real));
  for (const el of document.querySelectorAll("[data-show]")) el.hidden = unknown(at(s, el.dataset.show));
  for (const el of document.querySelectorAll("[data-text]")) el.textContent = unknown(at(s, el.dataset.text)) ? "–" : at(s, el.dataset.text);
  number(s, "zero", "bad");
  number(s, "open", "warn");
  byID("scripts").textContent = (s.issuer?.scripts || []).join(" · ");
  byID("faults").textContent = (s.line.faults || []).join(" · ");
  field("csq", s.line.csq);
  byID("csqnow").textContent = byID("csq").value;
  field("reg", s.line.reg);
  points(s);
}

// number shows a count that should be 0.
function number(s, kind, tone) {
  for (const el of document.querySelectorAll(`[data-${kind}]`)) {
    const v = at(s, el.dataset[kind]);
    el.textContent = unknown(v) ? "–" : v;
    el.dataset.tone = unknown(v) ? "" : v === 0 ? "good" : tone;
  }
}

// field follows the state unless somebody is at it.
function field(id, v) {
  const el = byID(id);
  if (document.activeElement !== el && v !== undefined) el.value = v;
}

function points(s) {
  const list = byID("point");
  const want = s.points || [];
  if (list.options.length !== want.length) list.replaceChildren(...want.map((p) => new Option(p, p)));
  document.querySelector(".armed").hidden = !s.armed;
  byID("armed").textContent = s.armed;
}

// tick shows the bench's clock, which runs on between two states.
export function tick() {
  if (!wall) return;
  const d = new Date(wall + (performance.now() - wallAt) + zone * 60000);
  byID("wall").textContent = d.toISOString().replace("T", " ").slice(0, 19);
}

export function setupWorld() {
  for (const id of ["chipcmd", "chipnth"]) byID(id).addEventListener("change", () => current() && showCards(current()));
  document.querySelector("main").addEventListener("click", (e) => {
    const b = e.target.closest("button");
    if (!b) return;
    if (b.dataset.cmd) {
      send(b.dataset.cmd.replace(/\{(\w+)\}/g, (_, id) => byID(id).value.trim()));
    } else if (b.dataset.switch) {
      send(at(current(), b.dataset.switch) ? b.dataset.off : b.dataset.on);
    }
  });
  byID("csq").addEventListener("input", () => (byID("csqnow").textContent = byID("csq").value));
  byID("csq").addEventListener("change", () => {
    send("modem csq " + byID("csq").value);
    byID("csq").blur();
  });
  byID("reg").addEventListener("change", () => {
    send("modem reg " + byID("reg").value);
    byID("reg").blur();
  });
  for (const id of ["quality", "point", "chipcmd", "chipnth", "chipdoes", "script", "template"]) byID(id).addEventListener("change", () => byID(id).blur());
}
