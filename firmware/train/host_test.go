package train_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"swipewell/drivers/softkeys"
	"swipewell/firmware/care"
	"swipewell/firmware/iso8583"
	"swipewell/firmware/iso8583/tpdu"
	"swipewell/firmware/keys"
	"swipewell/firmware/pos"
	"swipewell/firmware/sim/acquirer"
	"swipewell/firmware/sim/stage"
	"swipewell/firmware/store"
	"swipewell/firmware/terminal"
	"swipewell/firmware/train"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// clock runs its timers at once: the bank answers in place.
type clock struct{}

func (clock) Now() hal.Instant {
	return hal.Instant{Wall: time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC)}
}

func (clock) AfterFunc(_ time.Duration, f func()) func() bool {
	f()
	return func() bool { return false }
}

func tmk(t *testing.T) []byte {
	t.Helper()
	b, err := hex.DecodeString(acquirer.BenchTMK)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func keyStore(t *testing.T) *softkeys.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := softkeys.Provision(path, tmk(t)); err != nil {
		t.Fatal(err)
	}
	s, err := softkeys.Open(softkeys.Opts{Path: path, Bench: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestNoWayOut: the package imports nothing that opens a line, directly or through
// others of the firmware, and the bank is the only place from which its links come.
func TestNoWayOut(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		p, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range p.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			for _, bad := range []string{"net", "os", "syscall", "golang.org/x/sys/unix", "swipewell/drivers", "swipewell/firmware/hostlink", "swipewell/firmware/board"} {
				if path == bad || strings.HasPrefix(path, bad+"/") {
					t.Errorf("%s imports %s", f, path)
				}
			}
		}
	}
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range strings.Fields(string(out)) {
		if d == "net" || strings.HasPrefix(d, "net/") || strings.HasPrefix(d, "swipewell/drivers") || d == "swipewell/firmware/hostlink" || d == "swipewell/firmware/board" {
			t.Errorf("it links %s", d)
		}
	}
}

// bank is a line to it, with the keys of its sign-on.
type bank struct {
	t  *testing.T
	ks *softkeys.Store
	l  hal.Link
}

func dial(t *testing.T, lesson int) bank {
	t.Helper()
	ks := keyStore(t)
	l, err := train.New(clock{}, ks, tmk(t), rand.NewChaCha8([32]byte{1}), lesson).Dialer().Dial(t.Context(), "anywhere.example:1")
	if err != nil {
		t.Fatal(err)
	}
	b := bank{t, ks, l}
	a := b.ask(0x0800, "", false, time.Minute)
	list, err := keys.ParseWorkingKeys("003", a.Bytes(iso8583.DEKeys))
	if err != nil {
		t.Fatal(err)
	}
	if err := ks.Import(list); err != nil { // the check values fit
		t.Fatal(err)
	}
	return b
}

// ask sends a message and waits so long for its answer; nil is silence.
func (b bank) ask(mti iso8583.MTI, processing string, signed bool, wait time.Duration) *iso8583.Message {
	b.t.Helper()
	var m iso8583.Message
	m.Reset(mti)
	if processing != "" {
		m.SetDigits(iso8583.DEProcessing, processing)
		m.SetDigits(iso8583.DEAmount, "000000001234")
	}
	m.SetDigits(iso8583.DESTAN, "000042")
	m.SetText(iso8583.DETerminalID, "12345678")
	m.SetText(iso8583.DEMerchantID, "123456789012345")
	m.SetDigits(iso8583.DEBatch, "22000001")
	if signed {
		m.SetBytes(iso8583.DEMAC, make([]byte, 8))
	}
	raw, err := iso8583.UnionPay.Append(nil, &m)
	if err != nil {
		b.t.Fatal(err)
	}
	head, _ := tpdu.Parse("6000030000")
	version, _ := iso8583.ParseHeader("603100310000")
	frame := iso8583.AppendFrame(nil, head, version, raw)
	// In two pieces, as a line would bring it.
	for _, part := range [][]byte{frame[:5], frame[5:]} {
		if _, err := b.l.Write(b.t.Context(), part); err != nil {
			b.t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(b.t.Context(), wait)
	defer cancel()
	buf := make([]byte, 2048)
	n, err := b.l.Read(ctx, buf)
	if err != nil {
		return nil
	}
	body, _, err := iso8583.NextFrame(buf[:n])
	if err != nil {
		b.t.Fatal(err)
	}
	f, err := iso8583.ParseFrame(body)
	if err != nil {
		b.t.Fatal(err)
	}
	var a iso8583.Message
	if err := iso8583.UnionPay.Parse(&a, bytes.Clone(f.Message)); err != nil {
		b.t.Fatal(err)
	}
	if signed {
		mab, de64, ok := iso8583.MACRegion(f.Message)
		if sum, err := keys.MAC(b.ks, keys.MACECB, mab); !ok || err != nil || !bytes.Equal(de64, sum[:]) {
			b.t.Errorf("the MAC of the answer to %v does not fit: %v", mti, err)
		}
	}
	if a.MTI != mti.Response() || a.Digits(iso8583.DESTAN) != "000042" || a.Text(iso8583.DETerminalID) != "12345678" {
		b.t.Errorf("%v was answered by %v, STAN %s", mti, a.MTI, a.Digits(iso8583.DESTAN))
	}
	return &a
}

// TestAnswers: every kind of message is answered as a bank does, and the lessons
// have their own surprises, once.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		lesson     int
		mti        iso8583.MTI
		processing string
		want       [2]string // the first time, the second; "" is silence
	}{
		{care.LessonSale, 0x0200, "000000", [2]string{"00", "00"}},  // sale
		{care.LessonSale, 0x0200, "200000", [2]string{"00", "00"}},  // void
		{care.LessonSale, 0x0220, "200000", [2]string{"00", "00"}},  // refund
		{care.LessonSale, 0x0400, "000000", [2]string{"00", "00"}},  // reversal
		{care.LessonSale, 0x0100, "030000", [2]string{"00", "00"}},  // pre-authorisation
		{care.LessonUnknown, 0x0200, "000000", [2]string{"", "00"}}, // the answer that does not come
		{care.LessonUnknown, 0x0400, "000000", [2]string{"00", "00"}},
		{care.LessonInterface, 0x0200, "000000", [2]string{"45", "00"}},
		{care.LessonRepeat, 0x0200, "000000", [2]string{"00", "00"}},
	} {
		b := dial(t, c.lesson)
		for i, want := range c.want {
			wait, got := time.Minute, ""
			if want == "" {
				wait = 10 * time.Millisecond
			}
			if a := b.ask(c.mti, c.processing, true, wait); a != nil {
				got = a.Text(iso8583.DEResponse)
			}
			if got != want {
				t.Errorf("lesson %d, %v %s, time %d: %q, want %q", c.lesson, c.mti, c.processing, i+1, got, want)
			}
		}
	}
	// What is no message is not answered, and the line can be closed twice.
	b := dial(t, care.LessonSale)
	if _, err := b.l.Write(t.Context(), []byte{0, 3, 1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.l.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := b.l.Read(t.Context(), make([]byte, 9)); err == nil {
		t.Error("a closed line gives bytes")
	}
}

// inPlace are the bank's links for a stage of one goroutine: what is not there at
// once will not come.
type inPlace struct{ hal.Dialer }

type placeLink struct {
	hal.Link
	due *int // answers that are there
}

func (d inPlace) Dial(ctx context.Context, address string) (hal.Link, error) {
	l, err := d.Dialer.Dial(ctx, address)
	return placeLink{l, new(int)}, err
}

func (l placeLink) Write(ctx context.Context, p []byte) (int, error) {
	*l.due++
	return l.Link.Write(ctx, p)
}

func (l placeLink) Read(ctx context.Context, p []byte) (int, error) {
	if *l.due == 0 {
		return 0, context.DeadlineExceeded
	}
	*l.due--
	return l.Link.Read(ctx, p)
}

// lesson is a terminal in training on the stage, whose only line is the bank.
func lesson(t *testing.T) *stage.House {
	t.Helper()
	var h *stage.House
	h, err := stage.New(stage.Opts{Dir: t.TempDir(), Wall: clock{}.Now().Wall,
		Board: func(b *hal.Board) {
			b.PINPad = stage.NoPIN{}
			b.Links = []hal.NamedLink{{Name: "training", Dialer: inPlace{train.New(clock{}, h.Keys, tmk(t), rand.NewChaCha8([32]byte{2}), care.LessonSale).Dialer()}}}
		},
		Term: func(o *terminal.Opts) {
			o.Train, o.Lesson = true, &terminal.Lesson{N: care.LessonRefund, Op: 1, Lang: "zh"}
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	if err := h.Do(func() {
		if err := h.Boot(); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return h
}

// through presses and draws what the screens ask for, until the end.
func through(t *testing.T, h *stage.House, c acquirer.Card, first ...txn.Key) txn.State {
	t.Helper()
	press := func(ks ...txn.Key) {
		if err := h.Press(ks...); err != nil {
			t.Fatal(err)
		}
	}
	press(first...)
	for range 40 {
		switch s := h.State(); s.Phase {
		case txn.AwaitCard:
			if err := h.Swipe(c, hal.TrackOK); err != nil {
				t.Fatal(err)
			}
		case txn.Confirming:
			if err := h.Wait(2 * time.Second); err != nil {
				t.Fatal(err)
			}
			press("enter")
		case txn.Entering:
			press("enter")
		case txn.Naming:
			press(append(append(stage.Digits("90"), "enter"), append(stage.Digits("1234"), "enter")...)...)
		case txn.Result, txn.Stopped, txn.Choosing:
			return s
		default:
			if err := h.Wait(time.Second); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Fatalf("it stays with %v %s", h.State().Phase, h.State().Code)
	return txn.State{}
}

// TestLesson: a real terminal sells and gives back against the bank of the
// training mode; no real number reaches its store, and the bench's host hears
// nothing.
func TestLesson(t *testing.T) {
	h := lesson(t)
	c, ok := h.Host.Card("cup-debit-1")
	if !ok {
		t.Fatal("no such card")
	}
	if s := through(t, h, c, append(stage.Digits("1234"), "enter")...); s.Code != prompt.Approved {
		t.Fatalf("a sale: %v %s", s.Phase, s.Code)
	}
	sold := h.State().Durable.Last
	if s := through(t, h, c, "menu", "1"); s.Code != prompt.VoidDone {
		t.Errorf("its void: %v %s", s.Phase, s.Code)
	}
	if s := through(t, h, c, append(stage.Digits("5000"), "enter")...); s.Code != prompt.Approved {
		t.Fatalf("another sale: %v %s", s.Phase, s.Code)
	}
	row, err := h.Store.Sale(sold.ID)
	if err != nil {
		t.Fatal(err)
	}
	pan := c.PAN
	if !strings.HasPrefix(string(row.Masked), "622588") || strings.HasSuffix(string(row.Masked), pan[len(pan)-4:]) {
		t.Errorf("the books name %s, the card was ******%s", row.Masked, pan[len(pan)-4:])
	}
	if n := len(h.Host.Books()); n != 0 {
		t.Errorf("the bench's host booked %d", n)
	}
	for _, room := range []store.Room{store.History, store.Velocity, store.Orders} {
		if err := h.Store.Rows(room, nil, func(k, v []byte) error {
			if bytes.Contains(v, []byte(pan)) || bytes.Contains(k, []byte(pan)) {
				t.Errorf("a number lies in room %v", room)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if sold.ID.Context != "stage" || sold.Amount != pos.Fen(1234) || slices.Contains([]string{"", "000000"}, string(sold.Auth)) {
		t.Errorf("%+v", sold)
	}
}
