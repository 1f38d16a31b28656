// Words in two languages, and short notices.

// pair fills an element with "中文|English": both stand in the page, the style
// sheet shows one.
export function pair(el, words) {
  const [zh, en] = words.split("|");
  for (const [lang, s] of [["zh", zh], ["en", en ?? zh]]) {
    const span = document.createElement("span");
    span.lang = lang;
    span.textContent = s;
    el.append(span);
  }
}

function remember(lang) {
  try {
    localStorage.setItem("lang", lang);
  } catch {
    // private windows have no memory
  }
}

function recall() {
  try {
    return localStorage.getItem("lang");
  } catch {
    return null;
  }
}

function speak(lang) {
  document.documentElement.dataset.lang = lang;
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  document.getElementById("language").textContent = lang === "zh" ? "EN" : "中文";
}

export function setupWords() {
  for (const el of document.querySelectorAll("[data-l]")) pair(el, el.dataset.l);
  for (const el of document.querySelectorAll("[data-l2]")) el.textContent = el.dataset.l2; // an option holds no spans
  speak(recall() === "en" ? "en" : "zh");
  document.getElementById("language").addEventListener("click", () => {
    const lang = document.documentElement.dataset.lang === "zh" ? "en" : "zh";
    speak(lang);
    remember(lang);
  });
}

let hide = 0;

export function toast(words) {
  const el = document.getElementById("toast");
  el.textContent = words;
  el.hidden = false;
  clearTimeout(hide);
  hide = setTimeout(() => (el.hidden = true), 6000);
}
