// The page's one socket and what comes over it. See page.go for the messages.
import { drawFrame, showDevice, showPaper, setupDevice } from "./device.js";
import { showWorld, setupWorld, tick } from "./world.js";
import { addLog, clearLog, setupLog } from "./log.js";
import { setupWords, toast } from "./words.js";

let socket = null;
let wait = 200; // ms until the next try
let build = "";
let lastID = 0;
let state = null;

// send carries out one line of the script language. Nothing of it is kept: a
// key may be a digit of a PIN.
export function send(cmd) {
  if (!socket || socket.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify({ id: ++lastID, cmd }));
  return true;
}

export function current() {
  return state;
}

function text(m) {
  switch (m.t) {
    case "hello":
      if (build && build !== m.build) {
        location.reload(); // another posbench, another page
        return;
      }
      build = m.build;
      clearLog();
      break;
    case "state":
      state = m;
      showDevice(m);
      showWorld(m);
      break;
    case "paper":
      showPaper(m.slips);
      break;
    case "log":
      addLog(m.lines);
      break;
    case "reply":
      if (m.error) toast(m.error);
      break;
  }
}

function link(up) {
  document.documentElement.dataset.link = up ? "up" : "lost";
}

function connect() {
  socket = new WebSocket(`ws://${location.host}/ws`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    wait = 200;
    link(true);
  };
  socket.onmessage = (e) => (typeof e.data === "string" ? text(JSON.parse(e.data)) : drawFrame(e.data));
  socket.onclose = () => {
    link(false);
    drawFrame(new ArrayBuffer(5));
    setTimeout(connect, wait);
    wait = Math.min(wait * 1.6, 2000);
  };
}

setupWords();
setupDevice();
setupWorld();
setupLog();
connect();
setInterval(tick, 200);
