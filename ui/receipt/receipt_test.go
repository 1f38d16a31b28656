package receipt

import (
	"bytes"
	"flag"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"swipewell/hal"
	"swipewell/ui/font"
	"swipewell/ui/prompt"
	"swipewell/ui/text"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Only commit golden files whose change you understand: read each slip.
var update = flag.Bool("update", false, "rewrite testdata")

func sample(lang string) Data {
	return Data{
		Lang: lang, Merchant: Merchant{Name: "老城区谧园荜菜馆(人民路店)", ID: "102100058120017", Terminal: "10001234"},
		Kind: "sale", Amount: "12.80", Asked: "12.80", Card: "622588******0091", Entry: "021", Batch: "000007", STAN: "000123",
		RRN: "123456789012", Auth: "654321", RC: "00", Time: "2026-11-23 14:03:22", Org: "CUP", Issuer: "01020000", PINUsed: true,
	}
}

func TestGolden(t *testing.T) {
	with := func(lang string, f func(*Data)) Data {
		d := sample(lang)
		f(&d)
		return d
	}
	unknown := prompt.Args{Amount: "12.80", Card: "****0091", STAN: "000123"}
	for name, slip := range map[string]hal.Slip{
		"sale-zh":      Sale(sample(text.ZH)),
		"sale-en":      Sale(sample(text.EN)),
		"signature-zh": Sale(with(text.ZH, func(d *Data) { d.PINUsed, d.Entry, d.Copy = false, "022", MerchantCopy })),
		"bench-zh":     Sale(with(text.ZH, func(d *Data) { d.Bench, d.Delayed, d.Copy = true, true, CardholderCopy })),
		"bench-en":     Sale(with(text.EN, func(d *Data) { d.Bench, d.Reprint, d.Copy = true, true, MerchantCopy })),
		"partial-zh": Sale(with(text.ZH, func(d *Data) {
			d.Asked, d.RC, d.HostText, d.Copy = "50.00", "10", "部分批准 请核对余额 ISSUER HOTLINE 95588", MerchantCopy
		})),
		"large-en": Sale(with(text.EN, func(d *Data) { d.Amount, d.Asked, d.Copy = "9999999.99", "9999999.99", CardholderCopy })),
		"chip-zh": Sale(with(text.ZH, func(d *Data) {
			d.PINUsed, d.Entry, d.Copy = false, "052", MerchantCopy
			d.Chip = Chip{Label: "PBOC CREDIT", AID: "A000000333010102", TVR: "0000008000", TSI: "F800", ATC: "0001", AC: "1A2B3C4D5E6F7081", CVM: BySignature}
		})),
		"chip-none-en": Sale(with(text.EN, func(d *Data) {
			d.PINUsed, d.Entry, d.State, d.Copy = false, "052", "pending", CardholderCopy
			d.Chip = Chip{Label: "PBOC CREDIT", AID: "A000000333010102", TVR: "0000000000", TSI: "E800", ATC: "0001", AC: "1A2B3C4D5E6F7081", CVM: ByNothing}
		})),
		"reversal-zh": Reversal(sample(text.ZH)),
		"reversal-en": Reversal(sample(text.EN)),
		"unknown-zh":  Result(sample(text.ZH), prompt.UnknownNoAnswer, unknown),
		"declined-en": Result(with(text.EN, func(d *Data) { d.RC = "51" }), "D-HST-51", prompt.Args{RC: "51"}),
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("testdata", name+".txt")
			got := Text(slip)
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("the slip changed (-want +got):\n%s", d)
			}
		})
	}
}

// TestPaper keeps two slips as pictures: of a stripe and of a chip.
func TestPaper(t *testing.T) {
	d := sample(text.ZH)
	d.Bench, d.Delayed, d.Copy, d.PINUsed = true, true, MerchantCopy, false
	paper(t, "paper-zh.png", d)
	d = sample(text.EN)
	d.PINUsed, d.Entry, d.Copy = false, "052", MerchantCopy
	d.Chip = Chip{Label: "PBOC CREDIT", AID: "A000000333010102", TVR: "0000008000", TSI: "F800", ATC: "0001", AC: "1A2B3C4D5E6F7081", CVM: BySignature}
	paper(t, "paper-chip-en.png", d)
}

func paper(t *testing.T, name string, d Data) {
	t.Helper()
	img := Image(Sale(d)).(*image.Gray)
	file := filepath.Join("testdata", name)
	if *update {
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want.(*image.Gray).Pix, img.Pix) {
		got := filepath.Join(t.ArtifactDir(), "got.png")
		var b bytes.Buffer
		_ = png.Encode(&b, img)
		_ = os.WriteFile(got, b.Bytes(), 0o644)
		t.Errorf("%s changed; see %s", name, got)
	}
}

// TestNoLineIsTooWide, whatever the host, the merchant or the cashier wrote.
func TestNoLineIsTooWide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOfN(rapid.SampledFrom([]rune("0aB ,.*·老城区谧园(")), 0, 70, -1)
		d := Data{Lang: rapid.SampledFrom([]string{"zh", "en"}).Draw(t, "lang"), Merchant: Merchant{s.Draw(t, "name"), s.Draw(t, "id"), s.Draw(t, "tid")},
			Kind: "sale", Amount: s.Draw(t, "amount"), Asked: s.Draw(t, "asked"), Card: s.Draw(t, "card"), Entry: s.Draw(t, "entry"),
			Batch: s.Draw(t, "batch"), RRN: s.Draw(t, "rrn"), HostText: s.Draw(t, "host"), Issuer: s.Draw(t, "issuer"),
			Bench: rapid.Bool().Draw(t, "bench"), Delayed: rapid.Bool().Draw(t, "delayed"), PINUsed: rapid.Bool().Draw(t, "pin")}
		for _, slip := range []hal.Slip{Sale(d), Reversal(d), Result(d, "D-HST-51", prompt.Args{RC: "51", Host: d.HostText})} {
			for _, l := range slip.Lines {
				cols := font.Columns(l.Text)
				if l.Style&hal.StyleBig != 0 {
					cols *= 2
				}
				if cols > Columns {
					t.Errorf("%d columns: %q", cols, l.Text)
				}
			}
			if Image(slip).Bounds().Dx() != PaperWidth {
				t.Error("the paper has another width")
			}
		}
	})
}

// TestMarks: what must not be missing from a slip, and what must not be on it.
func TestMarks(t *testing.T) {
	for _, c := range []struct {
		name    string
		f       func(*Data)
		has     []string
		hasNone []string
	}{
		{"plain", func(*Data) {}, []string{"消费/SALE", "交易成功/APPROVED", "RMB 12.80", "000123", "654321", "123456789012", "622588******0091", "商户存根", "持卡人存根", "2026-11-23 14:03:22"}, []string{"测试", "补打", "重打印"}},
		{"bench", func(d *Data) { d.Bench = true }, []string{"测试"}, nil},
		{"bench en", func(d *Data) { d.Bench, d.Lang = true, "en" }, []string{"TEST", "APPROVED"}, []string{"测试"}},
		{"after a power cut", func(d *Data) { d.Delayed = true }, []string{"补打"}, []string{"重打印"}},
		{"reprint", func(d *Data) { d.Reprint = true }, []string{"重打印"}, []string{"补打"}},
		{"no PIN", func(d *Data) { d.PINUsed = false }, []string{"持卡人签名"}, []string{"无需签名"}},
		{"PIN", func(d *Data) { d.PINUsed = true }, []string{"无需签名"}, []string{"持卡人签名"}},
		{"partial", func(d *Data) { d.Asked = "50.00" }, []string{"RMB 50.00", "RMB 12.80", "部分批准"}, nil},
		{"cardholder", func(d *Data) { d.Copy = CardholderCopy }, []string{"持卡人存根"}, []string{"商户存根", "持卡人签名"}},
	} {
		d := sample("zh")
		c.f(&d)
		got := Text(Sale(d))
		for _, w := range c.has {
			if !strings.Contains(got, w) {
				t.Errorf("%s: lacks %q:\n%s", c.name, w, got)
			}
		}
		for _, w := range c.hasNone {
			if strings.Contains(got, w) {
				t.Errorf("%s: has %q:\n%s", c.name, w, got)
			}
		}
	}
	for _, got := range []string{Text(Result(sample("zh"), prompt.UnknownNoAnswer, prompt.Args{})), Text(Reversal(sample("zh")))} {
		if strings.Contains(got, "签购单") || strings.Contains(got, "交易成功") || !strings.Contains(got, "冲正") {
			t.Errorf("not a receipt, yet it reads like one:\n%s", got)
		}
	}
}
