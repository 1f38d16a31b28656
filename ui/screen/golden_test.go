package screen

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"swipewell/ui/prompt"
	"swipewell/ui/text"

	"github.com/google/go-cmp/cmp"
)

// Only commit golden files whose change you understand: look at each picture
// (the failed test leaves got.png beside want.png in its artifact folder).
var update = flag.Bool("update", false, "rewrite testdata")

var (
	onAir = Status{Bars: 3, Clock: "14:03", Bench: true}
	queue = Status{Bars: 2, Queue: 2, Clock: "14:05", Bench: true}
	paid  = prompt.Args{Amount: "12.80", Card: "****1234", STAN: "000123", Auth: "654321", RRN: "123456789012"}
)

// shots are the screens kept as pictures: every step of a sale, every kind of
// outcome, the narrowest cases.
var shots = []struct {
	name string
	view View
}{
	{"idle", View{Code: prompt.Idle, Input: "amount", Status: onAir}},
	{"idle-note", View{Code: prompt.Idle, Input: "amount", Status: queue, Note: prompt.ReversalQueued, NoteArgs: prompt.Args{N: 2, Card: "****1234"}}},
	{"amount", View{Code: prompt.Amount, Input: "amount", Typed: "12.80", Args: prompt.Args{Amount: "12.80"}, Status: onAir}},
	{"amount-limit", View{Code: prompt.Amount, Input: "amount", Typed: "49999.99", Status: onAir, Note: prompt.AmountLimit, NoteArgs: prompt.Args{Amount: "50000.00"}}},
	{"card", View{Code: prompt.Card, Input: "card", Args: prompt.Args{Amount: "12.80"}, Status: onAir}},
	{"unreadable", View{Code: prompt.CardParity, Input: "card", Args: prompt.Args{Amount: "12.80"}, Status: onAir}},
	{"turn-card", View{Code: prompt.CardNoStart, Input: "card", Args: prompt.Args{Amount: "12.80"}, Status: onAir}},
	{"confirm", View{Code: prompt.Confirm, Input: "confirm", Args: prompt.Args{Amount: "12.80", Card: "****1234"}, Status: onAir}},
	{"pin", View{Code: prompt.PIN, Input: "pin", Args: prompt.Args{Amount: "12.80", Card: "****1234", N: 4}, Status: onAir}},
	{"waiting", View{Code: prompt.Waiting, Input: "none", Args: prompt.Args{Amount: "12.80", Card: "****1234"}, Status: onAir}},
	{"approved", View{Code: prompt.Approved, Input: "ack", Args: paid, Status: onAir}},
	{"approved-no-paper", View{Code: prompt.Approved, Input: "ack", Args: paid, Status: onAir, Note: prompt.PaperOut}},
	{"partial", View{Code: prompt.ApprovedPartial, Input: "ack", Args: paid, Status: onAir}},
	{"declined-51", View{Code: "D-HST-51", Input: "ack", Args: prompt.Args{Amount: "12.80", Card: "****1234", RC: "51"}, Status: onAir}},
	{"declined-58", View{Code: "D-HST-58", Input: "ack", Args: prompt.Args{Amount: "12.80", Card: "****1234", RC: "58", Host: "ICBC 95588"}, Status: onAir}},
	{"unknown", View{Code: prompt.UnknownNoAnswer, Input: "ack", Args: paid, Status: queue}},
	{"unknown-68", View{Code: prompt.UnknownHost, Input: "ack", Args: prompt.Args{Amount: "12.80", Card: "****1234", RC: "68"}, Status: queue}},
	{"power", View{Code: prompt.UnknownPower, Input: "ack", Args: paid, Status: queue}},
	{"gated", View{Code: prompt.Gated, Input: "card", Args: prompt.Args{Amount: "12.80", Card: "****1234", N: 1}, Status: queue}},
	{"reversed", View{Code: prompt.Reversed, Input: "ack", Args: paid, Status: onAir}},
	{"recovered", View{Code: prompt.Recovered, Input: "ack", Args: paid, Status: onAir}},
	{"no-signal", View{Code: prompt.NetNoSignal, Input: "ack", Args: prompt.Args{Amount: "12.80", Card: "****1234"}, Status: Status{Clock: "14:03"}}},
	{"restored", View{Code: prompt.Restored, Input: "amount", Status: queue}},
	{"restored-sign", View{Code: prompt.RestoredSign, Input: "amount", Status: onAir}},
	{"duplicate", View{Code: prompt.Duplicate, Input: "choice", Args: twin, Status: onAir, Menu: [9]prompt.Code{prompt.ChoiceView, prompt.ChoiceReprint, prompt.ChoiceSecond}}},
	{"absorbed", View{Code: prompt.RuleDupNow, Input: "ack", Args: twin, Status: onAir}},
	{"third", View{Code: prompt.RuleThird, Input: "choice", Sel: 2, Args: prompt.Args{Field: "12.80", Host: "5.00 13:59:48", Time: "14:01:07", N: 3, Span: "5min", Rule: "R-04"}, Status: onAir, Menu: [9]prompt.Code{prompt.ChoiceView, prompt.ChoiceReprint, prompt.ChoiceSecond}}},
	{"too-frequent", View{Code: prompt.RuleWait, Input: "card", Args: prompt.Args{Amount: "12.80", Card: "****1234", N: 5, Span: "30min", Left: "00:45", Rule: "R-05"}, Status: onAir}},
	{"supervisor", View{Code: prompt.RuleManyBad, Input: "card", Args: prompt.Args{Amount: "880.00", Card: "****1234", N: 8, Rule: "R-15"}, Status: onAir}},
	{"issuer-count", View{Code: prompt.RuleLimitCount, Input: "card", Args: prompt.Args{Amount: "12.80", Card: "****1234", RC: "65", Rule: "R-09"}, Status: onAir}},
	{"stop-with-cause", View{Code: prompt.RuleWait, Input: "card", Args: prompt.Args{Amount: "12.80", Card: "****1234", N: 5, Span: "30min", Left: "00:45", Rule: "R-05"}, Note: prompt.CausePeak, NoteArgs: prompt.Args{N: 3, Field: "3"}, Status: onAir}},
	{"overrides", View{Code: prompt.RuleOverrides, Input: "card", Args: prompt.Args{Amount: "12.80", Card: "****1234", N: 6, Span: "1h", Rule: "R-21"}, Note: prompt.CauseFlow, NoteArgs: prompt.Args{N: 5}, Status: onAir}},
	{"second-confirmed", View{Code: prompt.Approved, Input: "ack", Args: paid, Note: prompt.CauseNone, Status: onAir}},
	{"unsure", View{Code: prompt.CardParity, Input: "card", Args: prompt.Args{Amount: "12.80"}, Note: prompt.CauseUnsure, NoteArgs: prompt.Args{Host: "换另一张卡试读"}, Status: onAir}},
	{"page-check", View{Code: prompt.PageCheck, Input: "page", Page: pageOf("check.done 14 14 11-26", "check.row @check.msr @state.good 0/20", "check.row @check.printer @state.warn -", "check.row @check.echo @state.bad -"), Status: onAir}},
	{"page-watch", View{Code: prompt.PageWatch, Input: "page", Page: pageOf("watch.odd @m.declines 7 1.2", "alert.head 1 1", "alert.row A-0001 11-26 4", "a.rule R-14 5", "alert.state @route.acquirer @alert.queued @alert.open"), Status: onAir}},
	{"page-staff", View{Code: prompt.PageStaff, Input: "page", Page: pageOf("staff.head 01 86", "staff.today 31 22 2", "staff.slips 4 @slip.misuse", "staff.part @score.misuse 4 -8", "staff.topic @lesson.refund"), Status: onAir}},
	{"page-why", View{Code: prompt.PageWhy, Input: "page", Page: pageOf("why.sure @cause.NET.signal 88", "why.who @who.cashier", "why.head", "why.term @sig.csq 8 _ +4.2", "why.term @sig.tmo 3 /10 +2.3"), Status: onAir}},
	{"name", View{Code: prompt.NameNumber, Input: "name", Typed: "90", Status: onAir}},
	{"late-twin", View{Code: prompt.Confirm, Input: "confirm", Args: prompt.Args{Amount: "12.80", Card: "****1234"}, Note: prompt.RuleDupLate, NoteArgs: twin, Status: onAir}},
	{"help", View{Code: prompt.RuleWait, Input: "page", Help: true, Page: text.Help("zh", "help/frequent"), Status: onAir}},
	{"guide", View{Code: prompt.RuleGuide, Input: "page", Help: true, Guide: true, Page: text.Help("zh", "help/guide"), Status: onAir}},
	{"training", View{Code: prompt.Idle, Input: "amount", Status: Status{Bars: -1, Clock: "14:03", Train: true}}},
	{"cause-signal", View{Code: prompt.UnknownNoAnswer, Input: "ack", Args: prompt.Args{Amount: "12.80", Card: "****1234", STAN: "000123"}, Note: prompt.CauseSignal, NoteArgs: prompt.Args{Field: "CSQ 8", N: 3}, Status: queue}},
	{"card-any", View{Code: prompt.CardAny, Input: "card", Args: prompt.Args{Amount: "12.80"}, Status: onAir}},
	{"insert-chip", View{Code: prompt.InsertChip, Input: "card", Args: prompt.Args{Amount: "12.80", Card: "****1234"}, Status: onAir}},
	{"fallback", View{Code: prompt.CardFallback, Input: "card", Args: prompt.Args{Amount: "12.80"}, Status: onAir}},
	{"chip-reading", View{Code: prompt.ChipReading, Input: "none", Args: prompt.Args{Amount: "12.80"}, Status: onAir}},
	{"chip-choose", View{Code: prompt.ChipChoose, Input: "app", Page: "> 1 PBOC DEBIT\n  2 PBOC CREDIT\n  3 银联借记", Args: prompt.Args{Amount: "12.80"}, Status: onAir}},
	{"chip-choose-again", View{Code: prompt.ChipTryAgain, Input: "app", Page: "> 1 PBOC CREDIT", Args: prompt.Args{Amount: "12.80"}, Status: onAir}},
	{"chip-choose-many", View{Code: prompt.ChipChoose, Input: "app", Page: "  1 APPLICATION ONE\n  2 APPLICATION TWO\n  3 APPLICATION THREE\n  4 APPLICATION FOUR\n  5 APPLICATION FIVE\n> 6 APPLICATION SIX\n  7 APPLICATION SEVEN\n  8 APPLICATION EIGHT\n  9 APPLICATION NINE", Args: prompt.Args{Amount: "12.80"}, Status: onAir}},
	{"chip-pin-wrong", View{Code: prompt.PINMust, Input: "pin", Args: prompt.Args{Amount: "12.80", Card: "****1234"}, Note: prompt.PINWrong, NoteArgs: prompt.Args{N: 2}, Status: onAir}},
	{"chip-pin-last", View{Code: prompt.PINMust, Input: "pin", Args: prompt.Args{Amount: "12.80", Card: "****1234", N: 2}, Note: prompt.PINWrongLast, Status: onAir}},
	{"chip-final", View{Code: prompt.ChipFinal, Input: "none", Args: prompt.Args{Amount: "12.80", Card: "****1234"}, Status: onAir}},
	{"take-card", View{Code: prompt.Approved, Input: "ack", Args: paid, Note: prompt.TakeCard, Status: onAir}},
	{"take-card-first", View{Code: prompt.TakeCard, Input: "card", Args: prompt.Args{Amount: "12.80"}, Status: onAir}},
	{"removed", View{Code: prompt.CardRemoved, Input: "ack", Args: prompt.Args{Amount: "12.80", Card: "****1234"}, Status: onAir}},
	{"chip-declined", View{Code: prompt.ChipDeclined, Input: "ack", Args: prompt.Args{Amount: "12.80", Card: "****1234"}, Note: prompt.TakeCard, Status: onAir}},
	{"chip-unknown", View{Code: prompt.UnknownChip, Input: "ack", Args: paid, Note: prompt.TakeCard, Status: queue}},
	{"chip-offline", View{Code: prompt.ChipOfflineDone, Input: "ack", Args: prompt.Args{Amount: "12.80", Card: "****1234", STAN: "000123"}, Status: onAir}},
	{"store-fault", View{Code: prompt.StoreFault, Input: "none", Status: Status{Bars: -1, Clock: "14:03"}}},
	{"board-file", View{Code: prompt.BoardFile, Input: "none", Args: prompt.Args{Field: "bench.toml:12: unknown key \"prot\""}, Status: Status{Bars: -1, Clock: "14:03"}}},
	{"status", View{Code: prompt.StatusPage, Input: "ack", Args: prompt.Args{N: 2, STAN: "000123", Amount: "12345.60", Field: "000007", Seconds: 48}, Status: queue}},
	{"menu", View{Code: prompt.Menu, Input: "menu", Sel: 1, Status: onAir, Menu: [9]prompt.Code{prompt.MenuSignOn, prompt.MenuEcho, prompt.MenuReprint, prompt.MenuStatus, prompt.MenuLang}}},
}

var twin = prompt.Args{Amount: "12.80", Field: "12.80", Time: "14:01:07", Card: "****1234", STAN: "000123", Auth: "654321", Rule: "R-02", N: 2}

// pageOf is a page of lines: a key, and what fills it; _ is nothing.
func pageOf(rows ...string) string {
	for i, r := range rows {
		f := strings.Fields(r)
		for k := range f {
			f[k] = strings.TrimPrefix(f[k], "_")
		}
		rows[i] = text.Line(text.ZH, f[0], f[1:]...)
	}
	return strings.Join(rows, "\n")
}

func TestGolden(t *testing.T) {
	var words strings.Builder
	for _, s := range shots {
		for _, size := range sizes {
			for _, lang := range langs {
				v := s.view
				v.Lang = lang
				name := fmt.Sprintf("%s-%s-%dx%d", s.name, lang, size.W, size.H)
				f := Render(v, size)
				fmt.Fprintf(&words, "== %s\n%s\n", name, strings.Join(f.Lines, "\n"))
				t.Run(name, func(t *testing.T) { goldenPicture(t, name, f.Image) })
			}
		}
	}
	file := filepath.Join("testdata", "words.txt")
	if *update {
		if err := os.WriteFile(file, []byte(words.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), words.String()); d != "" {
		t.Errorf("the words changed (-want +got):\n%s", d)
	}
}

func goldenPicture(t *testing.T, name string, img image.Image) {
	t.Helper()
	file := filepath.Join("testdata", name+".png")
	got := encode(t, img)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// Pixels are compared, not files: an encoder may pack them another way.
	if !samePixels(t, want, img) {
		dir := t.ArtifactDir()
		_ = os.WriteFile(filepath.Join(dir, "got.png"), got, 0o644)
		_ = os.WriteFile(filepath.Join(dir, "want.png"), want, 0o644)
		t.Errorf("the picture changed; see got.png and want.png in %s", dir)
	}
}

// encode writes an image with the few colours it has, to keep files small.
func encode(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, paletted(img)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func samePixels(t *testing.T, file []byte, got image.Image) bool {
	t.Helper()
	want, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if want.Bounds() != got.Bounds() {
		return false
	}
	for y := range got.Bounds().Dy() {
		for x := range got.Bounds().Dx() {
			r0, g0, b0, _ := want.At(x, y).RGBA()
			r1, g1, b1, _ := got.At(x, y).RGBA()
			if r0 != r1 || g0 != g1 || b0 != b1 {
				return false
			}
		}
	}
	return true
}
