// The terminal: its screen, keys, lamps and paper.
import { current, send } from "./main.js";
import { pair } from "./words.js";

const byID = (id) => document.getElementById(id);

// drawFrame shows a picture of the socket: 'F', width, height, RGB565.
export function drawFrame(buf) {
  const v = new DataView(buf);
  const w = v.getUint16(1), h = v.getUint16(3);
  const canvas = byID("screen");
  const lit = w > 0;
  if (lit && (canvas.width !== w || canvas.height !== h)) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.aspectRatio = `${w} / ${h}`;
    sharpen();
  }
  const g = canvas.getContext("2d");
  canvas.dataset.lit = lit;
  canvas.dataset.frames = Number(canvas.dataset.frames || 0) + 1;
  if (!lit) {
    g.clearRect(0, 0, canvas.width, canvas.height);
    return;
  }
  const out = g.createImageData(w, h);
  const px = new Uint32Array(out.data.buffer); // ABGR: every machine a browser runs on is little-endian
  for (let i = 0, at = 5; i < px.length; i++, at += 2) {
    const c = v.getUint16(at);
    const r = c >> 11, gr = (c >> 5) & 63, b = c & 31;
    px[i] = 0xff000000 | ((b << 3) | (b >> 2)) << 16 | ((gr << 2) | (gr >> 4)) << 8 | (r << 3) | (r >> 2);
  }
  g.putImageData(out, 0, 0);
}

// sharpen keeps pixels square where there is room for it; below that, a smooth
// picture loses no stroke of a character.
function sharpen() {
  const canvas = byID("screen");
  const scale = (canvas.clientWidth * devicePixelRatio) / canvas.width;
  canvas.style.imageRendering = scale >= 1.75 || Math.abs(scale - Math.round(scale)) < 0.01 ? "pixelated" : "auto";
}

export function showDevice(s) {
  document.body.dataset.power = s.power;
  document.body.dataset.pin = s.pin;
  byID("device").dataset.power = s.power;
  byID("power").setAttribute("aria-checked", s.power !== "off");
  byID("words").textContent = s.power === "off" ? "" : (s.caption.lines || []).join("\n");
  byID("words").dataset.code = s.caption.code;
  for (const el of document.querySelectorAll("[data-lamp]")) el.dataset.state = (s.lamps || {})[el.dataset.lamp] || "off";
  byID("printer").dataset.paper = s.paper ? "in" : "out";
}

// press sends a key. While a PIN, a card number or a part of a key is entered,
// nothing on the page shows which key it was.
function press(key) {
  if (!send("key " + key) || current()?.pin) return;
  const el = document.querySelector(`[data-key="${key}"]`);
  el?.classList.add("down");
  setTimeout(() => el?.classList.remove("down"), 110);
}

const keys = { Enter: "enter", Escape: "cancel", Backspace: "clear", Delete: "clear", ".": "dot", ",": "dot", ArrowUp: "up", ArrowDown: "down",
  m: "menu", M: "menu", ContextMenu: "menu", F1: "f1", F2: "f2", F3: "f3", F4: "f4" };
for (let d = 0; d <= 9; d++) keys[d] = String(d);

// typed gives the keyboard to the device, unless it is at work elsewhere.
function typed(e) {
  if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return;
  const at = e.target;
  if (at.closest("input, select, textarea")) return;
  if ((e.key === "Enter" || e.key === " ") && at.closest("button") && at.matches(":focus-visible")) return;
  const key = keys[e.key];
  if (!key) return;
  e.preventDefault();
  if (!e.repeat) press(key);
}

function swipe(card) {
  const quality = byID("quality").value;
  if (!send("swipe " + card + (quality ? " -quality " + quality : ""))) return;
  const ghost = byID("ghost");
  ghost.className = "";
  void ghost.offsetWidth; // starts the animation anew
  ghost.className = quality === "reverse" ? "go back" : "go";
}

// insert puts a card's chip in the slot, with the fault that is set.
function insert(card) {
  const cmd = byID("chipcmd").value, does = byID("chipdoes").value;
  let fault = "";
  if (cmd) {
    const [kind, after] = does.split(":");
    const at = cmd + byID("chipnth").value;
    fault = kind === "remove" ? ` remove=${at}${after ? ":after" : ""}` : ` fault=${at}:${does}`;
  }
  send("insert " + card + fault);
}

function showSlot(s) {
  const slot = s.slot || {};
  byID("slot").hidden = !slot.kind;
  byID("slot").dataset.state = slot.state || "empty";
  byID("slotcard").textContent = slot.card || "";
  byID("remove").disabled = !slot.card;
  document.querySelector(".chipfault").hidden = !slot.kind;
  byID("chipnow").textContent = byID("chipcmd").value ? byID("chipcmd").value + byID("chipnth").value : "";
  for (const b of document.querySelectorAll(".bankcard")) b.dataset.away = Boolean(slot.card) && b.dataset.card === slot.card;
  for (const b of document.querySelectorAll("[data-insert]")) b.disabled = Boolean(slot.card);
}

let tray = "";

export function showCards(s) {
  byID("tray").dataset.none = s.no_tray;
  const list = s.cards || [];
  const slotted = Boolean(s.slot?.kind);
  const now = JSON.stringify([list, slotted, s.no_tray]);
  if (now !== tray) {
    tray = now;
    byID("cards").replaceChildren(...[...list].sort((a, b) => place(a) - place(b)).map((c) => bankcard(c, slotted, !s.no_tray)));
  }
  showSlot(s);
}

// place orders the tray: what a shop sees every day, the other chips, the rest.
const everyday = ["cup-debit-1", "debit-online", "debit", "credit", "cup-credit-1", "floor"];
const place = (c) => (everyday.includes(c.name) ? everyday.indexOf(c.name) : c.chip ? 50 : 100);

function bankcard(c, slotted, swiped) {
  const chip = c.chip && slotted;
  const b = document.createElement(chip ? "div" : "button");
  b.className = "bankcard";
  b.dataset.card = c.name;
  b.dataset.org = c.chip ? "chip" : /^cup/.test(c.name) ? "cup" : /^visa/.test(c.name) ? "visa" : /^(mc|master)/.test(c.name) ? "mc" : "other";
  b.dataset.pays = !/^\d\d|^[A-Z]\d/.test(c.about || "");
  const name = document.createElement("b"), about = document.createElement("span");
  name.textContent = c.name;
  about.textContent = about.title = chip ? (c.about || "").replace(/^chip: /, "") : c.about || "";
  b.append(name, about);
  if (!chip) {
    b.type = "button";
    b.addEventListener("click", () => swipe(c.name));
    return b;
  }
  const hands = document.createElement("div");
  hands.className = "hands";
  hands.append(hand("插卡|insert", "insert", c.name, () => insert(c.name)));
  if (swiped) hands.append(hand("刷卡|swipe", "swipe", c.name, () => swipe(c.name)));
  b.append(hands);
  return b;
}

function hand(words, what, card, act) {
  const b = document.createElement("button");
  b.type = "button";
  b.dataset[what] = card;
  pair(b, words);
  b.addEventListener("click", act);
  return b;
}

// Paper: slips by the address of their picture, newest on top; torn off ones
// stay away.
const shown = new Map();
let gone = new Set();
let firstPaper = true;

export function showPaper(slips) {
  const box = byID("paper");
  const here = new Set(slips.map((s) => s.src));
  for (const [src, el] of shown) {
    if (!here.has(src)) {
      el.remove(); // a slip that has grown has a new picture
      shown.delete(src);
    }
  }
  gone = new Set([...gone].filter((src) => here.has(src)));
  for (const s of slips) {
    if (shown.has(s.src) || gone.has(s.src)) continue;
    const el = document.createElement("figure");
    el.className = "slip" + (s.whole ? "" : " torn");
    const img = new Image();
    img.alt = s.text;
    if (!firstPaper) {
      img.onload = () => feed(el);
    }
    img.src = s.src;
    const mark = document.createElement("span");
    mark.className = "mark";
    pair(mark, "撕断|torn");
    el.append(img, mark);
    shown.set(s.src, el);
    box.prepend(el);
  }
  firstPaper = false;
}

// feed lets a slip come out of the printer's mouth at the speed of a printer.
function feed(el) {
  const tall = el.offsetHeight;
  el.style.setProperty("--tall", tall + "px");
  el.style.setProperty("--feed", Math.min(tall / 420, 1.6) + "s");
  el.classList.add("new");
  byID("paper").scrollTop = 0;
}

export function setupDevice() {
  const pad = byID("pad");
  pad.addEventListener("pointerdown", (e) => {
    const b = e.target.closest("[data-key]");
    if (b && e.button === 0) {
      e.preventDefault();
      press(b.dataset.key);
    }
  });
  pad.addEventListener("click", (e) => {
    const b = e.target.closest("[data-key]");
    if (b && e.detail === 0) press(b.dataset.key); // from a keyboard or a reading aid
  });
  addEventListener("resize", sharpen);
  sharpen();
  document.addEventListener("keydown", typed);
  document.addEventListener("click", (e) => {
    if (e.detail > 0) e.target.closest("button")?.blur(); // the keyboard goes back to the device
  });
  byID("power").addEventListener("click", () => send(current()?.power === "off" ? "power on" : "power cut"));
  byID("tear").addEventListener("click", () => {
    for (const src of shown.keys()) gone.add(src);
    shown.clear();
    byID("paper").replaceChildren();
  });
}
