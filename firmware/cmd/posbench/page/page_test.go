package page

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"swipewell/hal"
	"swipewell/ui/prompt"
	"swipewell/ui/receipt"
	"swipewell/ui/screen"
)

// fake is a device that shows what it is told and notes what it is asked.
type fake struct {
	mu      sync.Mutex
	state   State
	view    screen.View
	img     image.Image
	frames  uint64
	slips   []Slip
	log     []string
	cmds    []string
	change  chan struct{}
	refuse  error
	blocked chan struct{} // Do of anything but keys waits for it, if set
}

func newFake() *fake {
	f := &fake{change: make(chan struct{}), view: screen.View{Lang: screen.ZH, Code: prompt.Idle, Input: "amount", Status: screen.Status{Bars: 4, Clock: "20:05", Bench: true}}}
	f.state = State{
		Version: 1, Power: PowerOn, Paper: true, Disk: "ok", Lamps: map[string]string{"ready": "on", "busy": "off", "alarm": "off"},
		Caption: hal.Caption{Code: "P-IDL-01", Input: "amount", Lang: "zh", Lines: []string{"请输入金额", "P-IDL-01"}},
		Clock:   Clock{WallMS: time.Date(2026, 11, 23, 12, 5, 0, 0, time.UTC).UnixMilli(), Zone: 480},
		Points:  []string{"before-intent", "intent", "before-send", "sent", "answer", "outcome", "printing", "outbox-try"},
		Cards: []Card{{Name: "cup-debit-1", About: "pays"}, {Name: "cup-debit-2", About: "pays"}, {Name: "cup-credit-1", About: "pays"}, {Name: "visa-credit-1", About: "pays"}, {Name: "mc-credit-1", About: "pays"},
			{Name: "cup-poor", About: "51, no money"}, {Name: "cup-lost", About: "41, lost"}, {Name: "cup-stolen", About: "43, stolen"}, {Name: "cup-expired", About: "54, expired"}, {Name: "cup-limit-amount", About: "61, over its limit at any amount"},
			{Name: "debit-online", About: "chip: online PIN, CDA", Chip: true}, {Name: "refuse-ac2", About: "chip: refuses after the issuer approved", Chip: true}},
		Slot: Slot{Kind: "serial", State: SlotEmpty}, Issuer: Issuer{ARPC: "right"},
		Unit: Unit{Batch: 3, Total: "41.30", Queue: 1}, Host: Host{Up: true, Answer: "late 90s", Decline: "51"},
		Line:  Line{Up: true, Faults: []string{"slow 2s"}, CSQ: 25, Reg: 1},
		Books: Books{Bookings: 4, Net: "41.30", Double: 0, Lost: 0, Open: 1},
	}
	f.render()
	return f
}

// render draws the view; f.mu is held or f is new.
func (f *fake) render() {
	f.img = screen.Render(f.view, screen.Color320).Image
	f.frames++
}

func (f *fake) update(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	f.state.Version++
	close(f.change)
	f.change = make(chan struct{})
}

func (f *fake) Snapshot() State {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state
}

func (f *fake) Frame() (image.Image, uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state.Power == PowerOff {
		return nil, f.frames
	}
	return f.img, f.frames
}

func (f *fake) Paper() []Slip {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.slips)
}

func (f *fake) Changed(after uint64) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state.Version > after {
		done := make(chan struct{})
		close(done)
		return done
	}
	return f.change
}

func (f *fake) Do(cmd string) error {
	f.mu.Lock()
	refuse, blocked := f.refuse, f.blocked
	f.mu.Unlock()
	if blocked != nil && !strings.HasPrefix(cmd, "key ") {
		<-blocked
	}
	f.update(func() {
		f.cmds = append(f.cmds, cmd)
		switch cmd {
		case "power cut":
			f.state.Power, f.state.Caption, f.state.Lamps = PowerOff, hal.Caption{}, nil
			f.frames++
		case "power on":
			f.state.Power = PowerOn
			f.frames++
		}
	})
	return refuse
}

func (f *fake) LogTail(after int) ([]string, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.log[min(max(after, 0), len(f.log)):]), len(f.log)
}

func (f *fake) did() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.cmds)
}

// await waits until the device was asked for exactly these commands.
func (f *fake) await(t *testing.T, want ...string) {
	t.Helper()
	for range 1000 {
		if slices.Equal(f.did(), want) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("asked for %q, want %q", f.did(), want)
}

func sampleSlip() Slip {
	s := receipt.Sale(receipt.Data{Lang: "zh", Merchant: receipt.Merchant{Name: "刷得好测试商户", ID: "898310000000001", Terminal: "10000001"}, Bench: true, Kind: "sale", Amount: "12.80", Card: "622588******0010", Entry: "021",
		Batch: "000001", STAN: "000017", RRN: "112320050017", Auth: "A10017", RC: "00", Time: "2026-11-23 20:05:31"})
	return Slip{Lines: s.Lines, Whole: true}
}

func dial(t *testing.T, srv *httptest.Server, origin string) (*websocket.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	h := http.Header{}
	if origin != "" {
		h.Set("Origin", origin)
	}
	c, _, err := websocket.Dial(ctx, srv.URL+"/ws", &websocket.DialOptions{HTTPHeader: h})
	if err == nil {
		c.SetReadLimit(1 << 20)
		t.Cleanup(func() { c.CloseNow() })
	}
	return c, err
}

// next reads messages until one of the kind comes ("F" for a picture).
func next(t *testing.T, c *websocket.Conn, kind string) (map[string]any, []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for {
		typ, b, err := c.Read(ctx)
		if err != nil {
			t.Fatalf("waiting for %s: %v", kind, err)
		}
		if typ == websocket.MessageBinary {
			if kind == "F" {
				return nil, b
			}
			continue
		}
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		if m["t"] == kind {
			return m, b
		}
	}
}

func serve(t *testing.T, d Device) *httptest.Server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	srv := httptest.NewUnstartedServer(Handler(d))
	srv.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	srv.Start()
	t.Cleanup(func() { cancel(); srv.Close() })
	return srv
}

func TestHostGuard(t *testing.T) {
	h := Handler(newFake())
	for host, want := range map[string]int{
		"127.0.0.1:8583": 200, "localhost:8583": 200, "localhost": 200, "[::1]:8583": 200,
		"evil.example:8583": 403, "127.0.0.1.evil.example": 403, "192.168.1.5:8583": 403, "": 403,
	} {
		for _, path := range []string{"/", "/main.js"} {
			r := httptest.NewRequest("GET", path, nil)
			r.Host = host
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s at host %q: %d, want %d", path, host, w.Code, want)
			}
			if !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
				t.Errorf("%s at host %q: no policy", path, host)
			}
		}
	}
}

func TestSocketOrigin(t *testing.T) {
	srv := serve(t, newFake())
	for origin, ok := range map[string]bool{srv.URL: true, "": false, "null": false, "http://evil.example": false, srv.URL + ".evil.example": false, strings.Replace(srv.URL, "http:", "https:", 1): false} {
		if _, err := dial(t, srv, origin); (err == nil) != ok {
			t.Errorf("origin %q: %v", origin, err)
		}
	}
}

// The page asks nothing of other machines, and has no inline script or style
// that its policy would refuse.
func TestAssetsAreSelfContained(t *testing.T) {
	outside := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9.-]+\.[a-z]{2,}`)
	for _, name := range assetNames() {
		b, err := files.ReadFile("assets/" + name)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(b), "http://www.w3.org/2000/svg", "")
		if m := outside.FindString(text); m != "" {
			t.Errorf("%s names %s", name, m)
		}
		if strings.HasSuffix(name, ".html") && regexp.MustCompile(`(?i)<script>|<style|\sstyle=|\son[a-z]+=`).MatchString(text) {
			t.Errorf("%s has inline script or style", name)
		}
		if n := strings.Count(text, "\n"); n > 600 {
			t.Errorf("%s has %d lines", name, n)
		}
	}
}

func TestSocketShowsTheWorld(t *testing.T) {
	f := newFake()
	f.slips = []Slip{sampleSlip()}
	f.log = []string{`{"level":"INFO","msg":"boot"}`}
	srv := serve(t, f)
	c, err := dial(t, srv, srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	if m, _ := next(t, c, "hello"); m["build"] != build || build == "" {
		t.Errorf("build %v", m["build"])
	}
	_, pic := next(t, c, "F")
	if w, h := int(pic[1])<<8|int(pic[2]), int(pic[3])<<8|int(pic[4]); w != 320 || h != 240 || len(pic) != 5+2*w*h {
		t.Errorf("a picture of %d×%d in %d bytes", w, h, len(pic))
	}
	if m, _ := next(t, c, "state"); m["power"] != "on" || m["unit"].(map[string]any)["batch"] != 3.0 {
		t.Errorf("state %v", m)
	}
	m, _ := next(t, c, "paper")
	src := m["slips"].([]any)[0].(map[string]any)["src"].(string)
	if m, _ := next(t, c, "log"); fmt.Sprint(m["lines"]) != `[{"level":"INFO","msg":"boot"}]` {
		t.Errorf("log %v", m)
	}
	r, err := srv.Client().Get(srv.URL + "/" + src)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if img, err := png.Decode(r.Body); err != nil || img.Bounds().Dx() != receipt.PaperWidth {
		t.Errorf("slip: %v", err)
	}
	for _, bad := range []string{"paper/9-000000000000.png", "paper/0-000000000000.png", "paper/x.png", "paper/-1-0.png"} {
		r, err := srv.Client().Get(srv.URL + "/" + bad)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
		if r.StatusCode != 404 {
			t.Errorf("%s: %d", bad, r.StatusCode)
		}
	}
	// What changes comes; what does not, does not.
	f.update(func() { f.state.Power, f.frames = PowerOff, f.frames+1 })
	if _, pic := next(t, c, "F"); !bytes.Equal(pic, []byte{'F', 0, 0, 0, 0}) {
		t.Errorf("dark screen: %d bytes", len(pic))
	}
	f.update(func() { f.log = append(f.log, "second") })
	if m, _ := next(t, c, "log"); fmt.Sprint(m["lines"]) != `[second]` {
		t.Errorf("log %v", m)
	}
}

func say(t *testing.T, c *websocket.Conn, id int, cmd string) {
	t.Helper()
	b, err := json.Marshal(command{ID: id, Cmd: cmd})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(t.Context(), websocket.MessageText, b); err != nil {
		t.Fatal(err)
	}
}

// Keys and the power switch do not wait for a slow command; keys keep their
// order.
func TestKeysPassSlowCommands(t *testing.T) {
	f := newFake()
	f.blocked = make(chan struct{})
	srv := serve(t, f)
	c, err := dial(t, srv, srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	say(t, c, 1, "clock advance 1h")
	var want []string
	for i := range 20 {
		k := fmt.Sprintf("key %d", i%10)
		say(t, c, 2+i, k)
		want = append(want, k)
	}
	f.await(t, want...)
	close(f.blocked)
	f.await(t, append(want, "clock advance 1h")...)
}

func TestReplyTellsWhatWentWrong(t *testing.T) {
	f := newFake()
	f.refuse = errors.New("no card 4111111111111111 in the tray")
	srv := serve(t, f)
	c, err := dial(t, srv, srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	say(t, c, 7, "swipe nobody")
	m, _ := next(t, c, "reply")
	if m["id"] != 7.0 || m["error"] != "no card 411111******1111 in the tray" {
		t.Errorf("%v", m)
	}
}

func TestSocketHangsUpOnNonsense(t *testing.T) {
	for name, text := range map[string]string{
		"json": "power cut", "two lines": `{"id":1,"cmd":"key 1\npower cut"}`, "long": `{"id":1,"cmd":"` + strings.Repeat("x", 500) + `"}`, "huge": strings.Repeat(" ", 9000),
	} {
		f := newFake()
		srv := serve(t, f)
		c, err := dial(t, srv, srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		c.Write(t.Context(), websocket.MessageText, []byte(text))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		for err == nil {
			_, _, err = c.Read(ctx)
		}
		if ctx.Err() != nil {
			t.Errorf("%s: still open", name)
		}
		cancel()
		if len(f.did()) > 0 {
			t.Errorf("%s: carried out %q", name, f.did())
		}
	}
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{
		"":                              "",
		"4111111111111111":              "411111******1111",
		"card 6225880000000000010, ok":  "card 622588*********0010, ok",
		`{"pan":"4111111111111111"}`:    `{"pan":"411111******1111"}`,
		"4111111111111112":              "4111111111111112", // no card: its check digit is wrong
		"rrn 112320050017":              "rrn 112320050017", // too short
		"12345678901234567890123":       "12345678901234567890123",
		"卡号4111111111111111元":           "卡号411111******1111元",
		"4111111111111111 411111111111": "411111******1111 411111111111",
	} {
		if got := mask(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// Whatever goes in, no whole number that passes the check digit comes out.
func FuzzMask(f *testing.F) {
	f.Add("4111111111111111")
	f.Add("x6225880000000000010x5555555555554444")
	runs := regexp.MustCompile(`[0-9]+`)
	f.Fuzz(func(t *testing.T, s string) {
		out := mask(s)
		if len(out) != len(s) {
			t.Errorf("%d bytes became %d", len(s), len(out))
		}
		for _, run := range runs.FindAllString(out, -1) {
			if len(run) >= 13 && len(run) <= 19 && luhn(run) {
				t.Errorf("%q still stands", run)
			}
		}
	})
}
