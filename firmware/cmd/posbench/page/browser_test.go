package page

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"swipewell/hal"
	"swipewell/ui/prompt"
	"swipewell/ui/screen"
)

// browser starts one Chromium whose window is larger than the page, so that no
// click scrolls it.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("needs chromium")
	}
	tmp := t.TempDir() // Chromium leaves files behind where TMPDIR points
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1560, 2000),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(filepath.Join(tmp, "profile")), chromedp.Env("TMPDIR="+tmp))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		chromedp.Cancel(ctx) // waits until the browser is gone and writes no more
		cancel()
	})
	limited, stop := context.WithTimeout(ctx, 60*time.Second)
	t.Cleanup(stop)
	return limited
}

// bench is an HTTP server that can go away and come back at the same address.
type bench struct {
	t    *testing.T
	addr string
	d    Device
	stop func()
}

func (b *bench) up() {
	b.t.Helper()
	addr := b.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		b.t.Fatal(err)
	}
	b.addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	srv := &http.Server{Handler: Handler(b.d), BaseContext: func(net.Listener) context.Context { return ctx }}
	go srv.Serve(ln)
	b.stop = func() { cancel(); srv.Close() }
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func eval[T any](t *testing.T, ctx context.Context, js string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js))
	if err != nil {
		t.Fatalf("%s: %v", js, err)
	}
	return v
}

// until waits for a JavaScript expression to hold.
func until(t *testing.T, ctx context.Context, js string) {
	t.Helper()
	for range 400 {
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+js+")")); err == nil && ok {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("never: %s", js)
}

func shot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	b, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.ArtifactDir(), name)
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Log("screenshot:", file)
}

// sameScreen compares the canvas with a picture at many points, up to the 16
// bits of the wire.
func sameScreen(t *testing.T, ctx context.Context, img image.Image) {
	t.Helper()
	const dx, dy = 17, 19
	got := eval[[]int](t, ctx, fmt.Sprintf(`(() => {
		const c = document.getElementById("screen"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data, out = [];
		for (let y = 0; y < c.height; y += %d) for (let x = 0; x < c.width; x += %d) out.push(...d.slice(4 * (y * c.width + x), 4 * (y * c.width + x) + 3));
		return out;
	})()`, dy, dx))
	i := 0
	for y := 0; y < img.Bounds().Dy(); y += dy {
		for x := 0; x < img.Bounds().Dx(); x += dx {
			r, g, b, _ := img.At(x, y).RGBA()
			for _, want := range [3]int{int(r >> 8), int(g >> 8), int(b >> 8)} {
				if i >= len(got) || got[i]-want > 8 || want-got[i] > 8 {
					t.Fatalf("pixel %d,%d is not as drawn", x, y)
				}
				i++
			}
		}
	}
}

// The page in a real browser; one is started for all, since that takes longest.
func TestPageInABrowser(t *testing.T) {
	ctx := browser(t)
	t.Run("session", func(t *testing.T) { session(t, ctx) })
	t.Run("phone", func(t *testing.T) { phone(t, ctx) })
}

// session is what a cashier does: see, type, swipe, lose power.
func session(t *testing.T, ctx context.Context) {
	f := newFake()
	f.log = []string{
		`{"seq":1,"t":"2026-11-23T20:05:00.123+08:00","lvl":"INFO","code":"E-BOT-01","src":"posd","f":{"version":"dev","board":"bench"}}`,
		`{"seq":2,"t":"2026-11-23T20:05:01.500+08:00","lvl":"WARN","code":"E-NET-01","src":"link.4g","f":{"what":"ladder reset"}}`,
	}
	b := &bench{t: t, d: f}
	b.up()
	defer func() { b.stop() }()
	do(t, ctx, chromedp.EmulateViewport(1520, 1480), chromedp.Navigate("http://"+b.addr+"/"))
	until(t, ctx, `document.documentElement.dataset.link === "up" && document.getElementById("screen").dataset.lit === "true"`)
	sameScreen(t, ctx, f.img)

	// Both languages stand in the page, and one is shown.
	if zh, en := eval[string](t, ctx, `document.querySelector(".enter [lang=zh]").textContent`), eval[string](t, ctx, `document.querySelector(".enter [lang=en]").textContent`); zh != "确认" || en != "ENTER" {
		t.Errorf("the enter key says %q and %q", zh, en)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS("#language")))
	until(t, ctx, `getComputedStyle(document.querySelector(".enter [lang=zh]")).display === "none" && getComputedStyle(document.querySelector(".enter [lang=en]")).display !== "none"`)
	do(t, ctx, chromedp.Click(chromedp.CSS("#language")))

	// Keys by mouse and by keyboard, in order.
	do(t, ctx, chromedp.Click(chromedp.CSS(`[data-key="1"]`)), chromedp.Click(chromedp.CSS(`[data-key="00"]`)), chromedp.Click(chromedp.CSS(`[data-key="menu"]`)))
	do(t, ctx, chromedp.KeyEvent("28."), chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent(kb.Backspace),
		chromedp.KeyEvent(kb.F1), chromedp.KeyEvent(kb.F4), chromedp.KeyEvent(kb.ArrowUp), chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent("m"))
	want := strings.Split("key 1,key 00,key menu,key 2,key 8,key dot,key enter,key cancel,key clear,key f1,key f4,key up,key down,key menu", ",")
	f.await(t, want...)

	// Typing into a field is not typing at the device.
	do(t, ctx, chromedp.Focus(chromedp.CSS("#rc")), chromedp.KeyEvent("9"), chromedp.Blur(chromedp.CSS("#rc")))
	do(t, ctx, chromedp.SetValue(chromedp.CSS("#rc"), "05"), chromedp.Click(chromedp.CSS(`[data-cmd="host decline {rc}"]`)))
	want = append(want, "host decline 05")
	f.await(t, want...)

	do(t, ctx, chromedp.Click(chromedp.CSS(`[data-card="cup-debit-1"]`)))
	do(t, ctx, chromedp.SetValue(chromedp.CSS("#quality"), "reverse"), chromedp.Click(chromedp.CSS(`[data-card="visa-credit-1"]`)))
	do(t, ctx, chromedp.Click(chromedp.CSS(`[data-value="bad-mac"]`)), chromedp.Click(chromedp.CSS(`[data-switch="host.up"]`)), chromedp.Click(chromedp.CSS(`[data-cmd="clock advance 2m"]`)))
	want = append(want, "swipe cup-debit-1", "swipe visa-credit-1 -quality reverse", "host answer bad-mac", "host down", "clock advance 2m")
	f.await(t, want...)

	// A chip card goes in, is under power, comes out; its stripe is still one. A
	// fault is for the next insert.
	do(t, ctx, chromedp.Click(chromedp.CSS(`[data-insert="debit-online"]`)))
	want = append(want, "insert debit-online")
	f.await(t, want...)
	f.update(func() { f.state.Slot = Slot{Kind: "serial", Card: "debit-online", State: SlotPowered} })
	until(t, ctx, `document.getElementById("slot").dataset.state === "powered" && document.querySelector('[data-insert="refuse-ac2"]').disabled`)
	until(t, ctx, `document.querySelector('[data-card="debit-online"]').dataset.away === "true" && document.getElementById("slotcard").textContent === "debit-online"`)
	shot(t, ctx, "card-in.png")
	do(t, ctx, chromedp.Click(chromedp.CSS("#remove")))
	want = append(want, "remove")
	f.await(t, want...)
	f.update(func() { f.state.Slot = Slot{Kind: "serial", State: SlotEmpty} })
	until(t, ctx, `document.getElementById("slot").dataset.state === "empty" && document.getElementById("remove").disabled`)
	do(t, ctx, chromedp.Click(chromedp.CSS(".chipfault summary")), chromedp.SetValue(chromedp.CSS("#chipcmd"), "genac"), chromedp.SetValue(chromedp.CSS("#chipnth"), "2"),
		chromedp.SetValue(chromedp.CSS("#chipdoes"), "remove:after"), chromedp.Click(chromedp.CSS(`[data-insert="refuse-ac2"]`)))
	do(t, ctx, chromedp.SetValue(chromedp.CSS("#chipdoes"), "6985"), chromedp.Click(chromedp.CSS(`[data-insert="refuse-ac2"]`)))
	do(t, ctx, chromedp.SetValue(chromedp.CSS("#chipcmd"), ""), chromedp.SetValue(chromedp.CSS("#quality"), ""), chromedp.Click(chromedp.CSS(`[data-swipe="refuse-ac2"]`)))
	want = append(want, "insert refuse-ac2 remove=genac2:after", "insert refuse-ac2 fault=genac2:6985", "swipe refuse-ac2")
	f.await(t, want...)
	do(t, ctx, chromedp.Click(chromedp.CSS(`[data-cmd="host issuer arpc wrong"]`)), chromedp.Click(chromedp.CSS(`[data-cmd="host issuer script {script} {template}"]`)))
	want = append(want, "host issuer arpc wrong", "host issuer script block 72")
	f.await(t, want...)
	f.update(func() { f.state.Issuer = Issuer{ARPC: "wrong", Scripts: []string{"block 72"}} })
	until(t, ctx, `document.querySelector('[data-path="issuer.arpc"] [data-value="wrong"]').getAttribute("aria-pressed") === "true" && document.getElementById("scripts").textContent === "block 72"`)
	do(t, ctx, chromedp.KeyEvent(kb.Enter)) // after a click the keyboard is the device's again
	want = append(want, "key enter")
	f.await(t, want...)

	// The world's answers: a new picture, paper, log lines, a refusal.
	f.update(func() {
		f.view.Code, f.view.Input, f.view.Args.Amount = prompt.Card, "card", "12.80"
		f.render()
		f.state.Caption = hal.Caption{Code: string(prompt.Card), Lines: []string{"请刷卡"}}
		f.slips = append(f.slips, Slip{Lines: sampleSlip().Lines[:9]}, sampleSlip())
		f.log = append(f.log, `{"level":"ERROR","msg":"<img src=x onerror=alert(1)>"}`, "not JSON at all")
	})
	until(t, ctx, `document.getElementById("words").dataset.code === "`+string(prompt.Card)+`"`)
	sameScreen(t, ctx, f.img)
	until(t, ctx, `document.querySelectorAll(".slip").length === 2 && [...document.querySelectorAll(".slip img")].every((i) => i.complete && i.naturalWidth === 384)`)
	if !eval[bool](t, ctx, `document.querySelectorAll(".slip.torn").length === 1 && document.querySelector(".slip img").alt.includes("12.80")`) {
		t.Error("the slips are not as printed")
	}
	until(t, ctx, `document.querySelectorAll("#log li").length === 4`)
	if s := eval[string](t, ctx, `document.querySelector("#log [data-level=WARN]").textContent`); s != "20:05:01.500 WARN  E-NET-01 link.4g what=ladder reset" {
		t.Errorf("a log line reads %q", s)
	}
	if eval[bool](t, ctx, `document.querySelector("#log img") !== null`) {
		t.Error("the log's text became part of the page")
	}
	until(t, ctx, `document.getAnimations().every((a) => a.animationName !== "feed")`) // the slip has come out
	shot(t, ctx, "desktop.png")

	// A PIN: sent, and nothing on the page tells which key it was.
	f.update(func() { f.state.PIN = true })
	until(t, ctx, `document.body.dataset.pin === "true"`)
	before := eval[string](t, ctx, `document.documentElement.outerHTML`)
	do(t, ctx, chromedp.KeyEvent("7"))
	want = append(want, "key 7")
	f.await(t, want...)
	if after := eval[string](t, ctx, `document.documentElement.outerHTML`); stripClock(after) != stripClock(before) {
		t.Error("a PIN key left a mark on the page")
	}
	f.update(func() { f.state.PIN = false })

	// Power.
	do(t, ctx, chromedp.Click(chromedp.CSS("#power")))
	until(t, ctx, `document.body.dataset.power === "off" && document.getElementById("screen").dataset.lit === "false"`)
	shot(t, ctx, "dark.png")
	do(t, ctx, chromedp.Click(chromedp.CSS("#power")))
	until(t, ctx, `document.body.dataset.power === "on" && document.getElementById("screen").dataset.lit === "true"`)
	f.await(t, append(want, "power cut", "power on")...)

	// posbench goes and comes back: so does the page, by itself.
	b.stop()
	until(t, ctx, `document.documentElement.dataset.link === "lost"`)
	b.up()
	until(t, ctx, `document.documentElement.dataset.link === "up" && document.getElementById("screen").dataset.lit === "true"`)
	sameScreen(t, ctx, f.img)
	if n := eval[int](t, ctx, `document.querySelectorAll("#log li").length`); n != 4 {
		t.Errorf("%d lines of log after the reconnect", n)
	}
	if n := eval[int](t, ctx, `document.querySelectorAll(".slip").length`); n != 2 {
		t.Errorf("%d slips after the reconnect", n)
	}
}

func stripClock(html string) string {
	before, rest, _ := strings.Cut(html, `<time id="wall"`)
	_, after, _ := strings.Cut(rest, "</time>")
	return before + after
}

// phone: at the width of a telephone nothing sticks out, and keys are big enough
// for a thumb, in both languages.
func phone(t *testing.T, ctx context.Context) {
	f := newFake()
	f.slips = []Slip{sampleSlip()}
	f.view.Lang = screen.ZH
	for i := range 40 {
		f.log = append(f.log, fmt.Sprintf(`{"time":"2026-11-23T20:05:00.123+08:00","level":"INFO","msg":"step","n":%d,"long":"%s"}`, i, strings.Repeat("x", 200)))
	}
	b := &bench{t: t, d: f}
	b.up()
	defer func() { b.stop() }()
	for _, width := range []int64{360, 390, 768} {
		do(t, ctx, chromedp.EmulateViewport(width, 844, chromedp.EmulateScale(2)), chromedp.Navigate("http://"+b.addr+"/"))
		for _, lang := range []string{"zh", "en"} {
			until(t, ctx, `document.documentElement.dataset.link === "up" && document.querySelectorAll(".bankcard").length === 12 && document.querySelectorAll("#log li").length === 40`)
			if got := eval[string](t, ctx, `document.documentElement.dataset.lang`); got != lang {
				t.Errorf("language %s, want %s", got, lang)
			}
			if wide := eval[int64](t, ctx, `document.documentElement.scrollWidth`); wide > width {
				culprit := eval[string](t, ctx, `[...document.querySelectorAll("main *, header *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest("#cards, #log")).slice(0, 5).map((e) => e.tagName + "." + e.className + "#" + e.id).join(" ")`)
				t.Errorf("%s: the page is %d wide on %d: %s", lang, wide, width, culprit)
			}
			if low := eval[float64](t, ctx, `Math.min(...[...document.querySelectorAll("#pad button:not(.soft)")].map((e) => e.getBoundingClientRect().height))`); low < 48 {
				t.Errorf("%s: a key is %v high", lang, low)
			}
			if width == 390 {
				shot(t, ctx, "phone-"+lang+".png")
			}
			do(t, ctx, chromedp.Click(chromedp.CSS("#language")))
		}
		if width == 390 {
			full, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "phone-whole.png"), full, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
