package screen

import (
	"image"
	"image/color"
	"slices"
	"strings"
	"testing"

	"swipewell/ui/font"
	"swipewell/ui/prompt"
	"swipewell/ui/text"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var (
	sizes = []Size{Color320, Mono128}
	langs = []Lang{ZH, EN}
	// fullArgs are as long as values get.
	fullArgs = prompt.Args{Amount: "12345.60", Card: "****1234", RC: "68", STAN: "000123", RRN: "123456789012", Auth: "654321",
		Field: "board.toml:12: host.port", N: 12, Seconds: 30, Time: "14:03:22"}
)

// argsFor are the values of a code, as long as they get.
func argsFor(c prompt.Code) prompt.Args {
	a := fullArgs
	switch {
	case c[0] == 'D':
		a.RC = string(c[6:])
	case c[0] == 'T' || c == prompt.Duplicate:
		a.Field, a.Host, a.Left, a.Rule, a.Span = "12345.60", "12345.60 14:03:22", "23:59:59", "R-04", "30min"
	case c == prompt.CauseUnsure:
		a.Field, a.Host = "信号弱、银行系统忙", "插入另一张卡试读"
	case c[0] == 'C':
		a.Field = "CSQ 8"
	}
	return a
}

// onScreen are the codes that a screen can show as its message.
func onScreen() []prompt.Code {
	var out []prompt.Code
	for _, e := range prompt.All() {
		if !strings.ContainsRune("EM", rune(e.Code[0])) {
			out = append(out, e.Code)
		}
	}
	return out
}

// inputFor is what the device waits for while a code is on the screen.
func inputFor(c prompt.Code) string {
	switch {
	case c == prompt.Idle || c == prompt.Amount:
		return "amount"
	case c == prompt.Card || strings.HasPrefix(string(c), "F-CRD"):
		return "card"
	case c == prompt.Confirm:
		return "confirm"
	case c == prompt.PIN || c == prompt.PINMust:
		return "pin"
	}
	return "ack"
}

// TestNothingIsCut: every word of every code is on both screens in both
// languages, and no glyph leaves the screen.
func TestNothingIsCut(t *testing.T) {
	for _, lang := range langs {
		for _, code := range onScreen() {
			args := argsFor(code)
			m := text.Format(string(lang), code, args)
			for _, size := range sizes {
				p := draw(View{Lang: lang, Code: code, Args: args, Input: inputFor(code), Status: queue}, size)
				want := append([]string{m.Title, m.Next}, strings.Split(m.Body, "\n")...)
				if size.Mono {
					want = small3(m)
				}
				all := strings.Join(p.lines, "\n")
				for _, w := range want {
					if w = strings.TrimSpace(w); !strings.Contains(all, w) {
						t.Errorf("%s %s on %d px lacks %q:\n%s", code, lang, size.W, w, all)
					}
				}
				if p.clipped {
					t.Errorf("%s %s on %d px: a glyph leaves the screen", code, lang, size.W)
				}
			}
		}
	}
}

// small3 is what three rows must hold; a title that fills them needs no more.
func small3(m text.Message) []string {
	words := m.Small
	if words == "" {
		words = m.Title + "\n" + m.Next
	}
	paras := strings.Split(words, "\n")
	if len(font.WrapTitle(paras[0], 16)) == 3 {
		return paras[:1]
	}
	return paras
}

// TestSafeWords: on every screen of money whose fate is unknown stand the
// words that a cashier must not miss, however small the screen.
func TestSafeWords(t *testing.T) {
	for _, code := range onScreen() {
		unproven := slices.Contains([]prompt.Code{"D-HST-06", "D-HST-09", "D-HST-68", "D-HST-96", "D-HST-98"}, code)
		if code[0] != 'U' && code != prompt.Reversing && !unproven {
			continue
		}
		for _, size := range sizes {
			for lang, words := range map[Lang][2]string{ZH: {"冲正", "请勿重刷"}, EN: {"REVERSAL", "DO NOT SWIPE AGAIN"}} {
				all := strings.Join(Render(View{Lang: lang, Code: code, Args: fullArgs, Status: queue}, size).Lines, "\n")
				if code == prompt.AdviceOpen { // no reversal: the advice itself goes on
					words = map[Lang][2]string{ZH: {"等待银行确认", "请勿再做一笔"}, EN: {"NOT CONFIRMED", "DO NOT"}}[lang]
				}
				for _, w := range words {
					if !strings.Contains(all, w) {
						t.Errorf("%s %s on %d px lacks %q:\n%s", code, lang, size.W, w, all)
					}
				}
			}
		}
	}
}

// TestEveryScreen carries its code, its clock, and on the bench the mark.
func TestEveryScreen(t *testing.T) {
	for _, lang := range langs {
		for _, code := range onScreen() {
			for _, size := range sizes {
				f := Render(View{Lang: lang, Code: code, Args: fullArgs, Note: prompt.ReversalQueued, Status: queue}, size)
				first, last := f.Lines[0], f.Lines[len(f.Lines)-1]
				mark, wait := "测试", "待2"
				if lang == EN {
					mark, wait = "TEST", "Q2"
				}
				for _, w := range []string{mark, wait, "14:05"} {
					if !strings.Contains(first, w) {
						t.Errorf("%s %s: the status bar %q lacks %q", code, lang, first, w)
					}
				}
				if !strings.HasPrefix(last, string(code)) || !strings.Contains(last, string(prompt.ReversalQueued)) {
					t.Errorf("%s %s: the last line is %q", code, lang, last)
				}
				if strings.Contains(strings.Join(Render(View{Lang: lang, Code: code, Status: Status{Clock: "14:05"}}, size).Lines, "\n"), mark) {
					t.Errorf("%s %s: marked as a bench without being one", code, lang)
				}
			}
		}
	}
}

// TestStepsAreTold: the words by which a person (or a script) knows a step
// stand on no other step's screen.
func TestStepsAreTold(t *testing.T) {
	for words, own := range map[string][]prompt.Code{
		"请输入金额":        {prompt.Idle, prompt.Amount},
		"ENTER AMOUNT": {prompt.Idle, prompt.Amount},
		"请刷卡":          {prompt.Card, prompt.CardAny},
		"SWIPE CARD":   {prompt.Card},
		"请核对":          {prompt.Confirm, prompt.ConfirmKind},
		"按确认":          {prompt.Confirm, prompt.ConfirmKind},
		"PRESS ENTER":  {prompt.Confirm, prompt.ConfirmKind},
		"请输入密码":        {prompt.PIN, prompt.PINMust},
		"ENTER PIN":    {prompt.PIN, prompt.PINMust},
		"交易成功":         {prompt.Approved, prompt.ApprovedConfirm},
		"PLEASE WAIT":  {prompt.Waiting, prompt.Dialling, prompt.Preparing},
	} {
		for _, code := range onScreen() {
			for _, size := range sizes {
				found := false
				for _, lang := range langs {
					lines := Render(View{Lang: lang, Code: code, Args: fullArgs, Input: inputFor(code), Status: onAir}, size).Lines
					found = found || strings.Contains(strings.Join(lines, "\n"), words)
				}
				if mine := slices.Contains(own, code); found != mine {
					t.Errorf("%q on %s (%d px): %v, want %v", words, code, size.W, found, mine)
				}
			}
		}
	}
}

func TestStars(t *testing.T) {
	for _, size := range sizes {
		for _, n := range []int{0, 1, 12, 99} {
			p := draw(View{Code: prompt.PIN, Input: "pin", Args: prompt.Args{Amount: "50000.00", Card: "****1234", N: n}}, size)
			want := strings.Repeat("*", min(n, 12))
			if n > 0 && !slices.Contains(p.lines, want) {
				t.Errorf("%d px, %d stars: %q", size.W, n, p.lines)
			}
			if p.clipped {
				t.Errorf("%d px, %d stars: a glyph leaves the screen", size.W, n)
			}
		}
	}
}

func TestMenu(t *testing.T) {
	for _, size := range sizes { // a code without words is drawn all the same
		Render(View{Input: "menu", Menu: [9]prompt.Code{prompt.MenuEcho}}, size)
	}
	items := [9]prompt.Code{prompt.MenuSignOn, prompt.MenuEcho, prompt.MenuReprint, prompt.MenuStatus, prompt.MenuLang, prompt.MenuSignOn, prompt.MenuEcho, prompt.MenuReprint}
	for n := 1; n <= len(items); n++ {
		for sel := range n {
			v := View{Code: prompt.Menu, Input: "menu", Sel: sel}
			copy(v.Menu[:n], items[:n])
			for _, size := range sizes {
				p := draw(v, size)
				want := text.Get(text.ZH, items[sel]).Title
				if !strings.Contains(strings.Join(p.lines, "\n"), want) || p.clipped {
					t.Errorf("%d px, %d of %d: %q, clipped %v", size.W, sel, n, p.lines, p.clipped)
				}
			}
		}
	}
}

// TestAnyView: whatever a View holds, drawing it does not fail and is the same
// twice.
func TestAnyView(t *testing.T) {
	codes := onScreen()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringN(0, 40, -1)
		v := View{
			Lang: Lang(rapid.SampledFrom([]string{"zh", "en", "", "xx"}).Draw(t, "lang")),
			Code: rapid.SampledFrom(append(codes, "", "X")).Draw(t, "code"), Note: rapid.SampledFrom(append(codes, "", "Y")).Draw(t, "note"),
			Args: prompt.Args{Amount: s.Draw(t, "amount"), Card: s.Draw(t, "card"), RC: s.Draw(t, "rc"), Host: s.Draw(t, "host"),
				Field: s.Draw(t, "field"), N: rapid.Int().Draw(t, "n")},
			Status: Status{Bars: rapid.IntRange(-2, 9).Draw(t, "bars"), Queue: rapid.Int().Draw(t, "queue"), Clock: s.Draw(t, "clock")},
			Input:  rapid.SampledFrom([]string{"amount", "card", "confirm", "pin", "menu", "ack", "none", ""}).Draw(t, "input"),
			Typed:  s.Draw(t, "typed"), Sel: rapid.IntRange(-3, 12).Draw(t, "sel"),
		}
		v.Menu[0] = rapid.SampledFrom([]prompt.Code{"", prompt.MenuEcho}).Draw(t, "item")
		size := rapid.SampledFrom(append(sizes, Size{W: 40, H: 30}, Size{W: 480, H: 320}, Size{W: 24, H: 20, Mono: true})).Draw(t, "size")
		a, b := Render(v, size), Render(v, size)
		if !slices.Equal(a.Lines, b.Lines) {
			t.Fatal(cmp.Diff(a.Lines, b.Lines))
		}
		if a.Image.Bounds() != image.Rect(0, 0, size.W, size.H) {
			t.Fatal(a.Image.Bounds())
		}
	})
}

// TestContrast holds the palette to 4.5:1 wherever text stands on a colour.
func TestContrast(t *testing.T) {
	for _, pair := range [][2]uint8{{ink, paper}, {muted, paper}, {muted, white}, {white, blue}, {white, green}, {ink, amber},
		{white, red}, {white, crimson}, {noteInk, noteFill}, {ink, tint}, {white, bar}, {ink, noteFill}} {
		if c := contrast(palette[pair[0]], palette[pair[1]]); c < 4.5 {
			t.Errorf("ink %d on %d: contrast %.2f", pair[0], pair[1], c)
		}
	}
}

// contrast is the ratio of WCAG 2.1, in a quadratic approximation of sRGB.
func contrast(a, b uint32) float64 {
	lum := func(c uint32) float64 {
		f := func(shift uint) float64 { v := float64(c>>shift&0xFF) / 255; return v * v }
		return 0.2126*f(24) + 0.7152*f(16) + 0.0722*f(8)
	}
	x, y := lum(a), lum(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestModels(t *testing.T) {
	if m := Render(View{Code: prompt.Idle}, Color320).Image.ColorModel(); m != color.RGBAModel {
		t.Error("the colour screen is not RGBA")
	}
	if m := Render(View{Code: prompt.Idle}, Mono128).Image.ColorModel(); m != color.GrayModel {
		t.Error("the one-bit screen is not grey")
	}
}

func BenchmarkRender(b *testing.B) {
	for name, v := range map[string]View{
		"confirm": {Code: prompt.Confirm, Input: "confirm", Args: prompt.Args{Amount: "12.80", Card: "****1234"}, Status: onAir},
		"unknown": {Code: prompt.UnknownHost, Input: "ack", Args: fullArgs, Status: queue, Note: prompt.ReversalQueued},
	} {
		for _, size := range sizes {
			b.Run(name+map[bool]string{false: "/320x240", true: "/128x64"}[size.Mono], func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					Render(v, size)
				}
			})
		}
	}
}

// TestNotes: a note under the screens it comes with hides neither.
func TestNotes(t *testing.T) {
	notes := []prompt.Code{prompt.ReversalQueued, prompt.Reversed, prompt.PaperOut, prompt.PrinterCover, prompt.PrinterHot, prompt.PrinterFault,
		prompt.AmountZero, prompt.AmountLimit, prompt.EntryFirst, prompt.BoardDevice, prompt.SignOnFailed, prompt.NetNoSignal}
	for _, lang := range langs {
		for _, code := range []prompt.Code{prompt.Idle, prompt.Amount, prompt.Card, prompt.Approved, prompt.ApprovedVIP, "D-HST-51"} {
			for _, note := range notes {
				v := View{Lang: lang, Code: code, Input: inputFor(code), Args: prompt.Args{Amount: "50000.00", Card: "****1234", STAN: "000123", Auth: "654321"},
					Note: note, NoteArgs: fullArgs, Status: queue}
				for _, size := range sizes {
					p := draw(v, size)
					all := strings.Join(p.lines, "\n")
					want := []string{text.Get(string(lang), code).Title, string(note)}
					if !size.Mono {
						want = append(want, text.Get(string(lang), note).Title, text.Get(string(lang), note).Next, "¥")
					}
					for _, w := range want {
						if !strings.Contains(all, w) {
							t.Errorf("%s with %s, %s, %d px lacks %q:\n%s", code, note, lang, size.W, w, all)
						}
					}
					if p.clipped {
						t.Errorf("%s with %s, %s, %d px: a glyph leaves the screen", code, note, lang, size.W)
					}
				}
			}
		}
	}
}
