package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"swipewell/firmware/console"
	"swipewell/firmware/parameter"
	"swipewell/firmware/signature"
)

func readings(csq ...int) (list []sample) {
	for i, n := range csq {
		list = append(list, sample{At: time.Duration(i) * time.Second, Link: "4g", CSQ: n, Registered: n != 0 && n != 99})
	}
	return list
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		csq              []int
		verdict          string
		min, median, max int
	}{
		{[]int{22, 24, 23, 21, 25}, "good", 21, 23, 25},
		{[]int{22, 24, 23, 9, 25, 24}, "fair", 9, 23, 25},
		{[]int{12, 13, 14, 12, 13}, "fair", 12, 13, 14},
		{[]int{9, 8, 7, 9, 8}, "weak", 7, 8, 9},
		{[]int{22, 3, 22, 22, 22}, "weak", 3, 22, 22},
		{[]int{22, 22, 22, 22, 22, 22, 22, 22, 0}, "weak", 0, 22, 22}, // one in nine without a network
		{[]int{99, 99, 99, 99, 99}, "none", 0, 0, 0},
		{[]int{0, 0, 0, 22, 22}, "none", 0, 0, 22},
		{[]int{22, 22, 22, 22}, "short", 22, 22, 22},
		{nil, "short", 0, 0, 0},
	} {
		r := judge("", "4g", append(readings(c.csq...), sample{Link: "5g", CSQ: 1}))
		if r.Verdict != c.verdict || r.Min != c.min || r.Median != c.median || r.Max != c.max || r.Samples != len(c.csq) {
			t.Errorf("%v: %+v, want %s", c.csq, r, c.verdict)
		}
	}
	if r := judge("", "4g", readings(20, 20, 20, 20, 20)); r.DBm != -73 { // 27.007 §8.5: -113 + 2 n
		t.Errorf("%d dBm", r.DBm)
	}
	for v, w := range verdicts {
		if w[0] == "" || w[1] == "" {
			t.Errorf("%s lacks a language", v)
		}
	}
}

func TestPlot(t *testing.T) {
	for _, c := range []struct {
		csq   []int
		width int
		want  string
	}{
		{[]int{1, 16, 31}, 60, "▁▄█"},
		{[]int{31, 0, 31}, 60, "█x█"},
		{[]int{31, 31, 1, 31}, 2, "█▁"}, // the least of a column shows
		{nil, 60, ""},
	} {
		if got := plot(readings(c.csq...), "4g", c.width); got != c.want {
			t.Errorf("%v: %q, want %q", c.csq, got, c.want)
		}
	}
}

func TestJudged(t *testing.T) {
	of := func(states ...string) (r console.SelfCheck) {
		for _, s := range states {
			r.Items = append(r.Items, console.Checked{State: s})
		}
		return r
	}
	for _, c := range []struct {
		r      console.SelfCheck
		strict bool
		bad    bool
	}{
		{of("ok", "absent"), true, false}, {of("ok", "warn"), false, false}, {of("ok", "warn"), true, true}, {of("ok", "fail"), false, true}, {of(), false, true},
	} {
		if err := judged(c.r, c.strict); (err != nil) != c.bad {
			t.Errorf("%+v strict %v: %v", c.r.Items, c.strict, err)
		}
	}
}

// What config get --file prints is a parameter file that changes nothing.
func TestParamsComeBack(t *testing.T) {
	var b bytes.Buffer
	writeParams(&b, console.Config{Version: 4, Waiting: 6, Params: []console.Param{{Name: "merchant.name", Value: "城南\"分店\""}, {Name: "service.phone"}, {Name: "acquirer.hosts", Value: "a:1 b:2"}, {Name: "acquirer.pin_timeout", Value: "1m0s"}}})
	p, err := parameter.Parse(b.String())
	if err != nil || p.Version != 7 || *p.Merchant.Name != "城南\"分店\"" || len(p.Acquirer.Hosts) != 2 || p.Acquirer.PINTimeout.Minutes() != 1 || p.Service.Phone != nil {
		t.Errorf("%+v %v\n%s", p, err, b.String())
	}
}

const template = "name = \"swipe-1\"  # a model\n\n[acquirer]\ntid = \"00000000\"\nmid = \"000000000000000\"\n\n[msr]\ntid = \"not that one\"\n"

func TestBoardFor(t *testing.T) {
	out, err := boardFor(template, "SW26-1", "20260007", "898100012340007")
	if err != nil {
		t.Fatal(err)
	}
	var b boardShape
	if _, err := toml.Decode(out, &b); err != nil || b.Acquirer.TID != "20260007" || b.Acquirer.MID != "898100012340007" || b.Asset[0].Value != "SW26-1" {
		t.Errorf("%+v %v\n%s", b, err, out)
	}
	if !strings.Contains(out, "# a model") || !strings.Contains(out, "not that one") {
		t.Errorf("something else was changed:\n%s", out)
	}
	for name, c := range map[string][4]string{
		"a device's":      {out, "SW26-2", "", ""},
		"a short tid":     {template, "SW26-1", "2026", ""},
		"no acquirer":     {"name = \"x\"\n", "SW26-1", "20260007", ""},
		"not a template":  {"name = ", "SW26-1", "", ""},
		"an open section": {"[asset]\nkind = \"seal\"\n", "SW26-1", "", ""},
	} {
		if _, err := boardFor(c[0], c[1], c[2], c[3]); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// A certificate is what was signed, is safe to open, and a change in it is found.
func TestCertificate(t *testing.T) {
	pub, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := provisioned{Serial: "SW26-1", Person: "<script>alert(1)</script>", Keys: map[string]string{"tmk": "43C6CC"},
		Device: console.SelfCheck{Build: "ab12", Bench: true, Keys: []console.KeyItem{{Slot: "tmk", KCV: "43C6CC"}}, Items: []console.Checked{{Item: "store", State: "ok", Text: "</script><b>"}}}}
	for _, lang := range []string{"zh", "en"} {
		page := signature.Sign(certificate(lang, r), priv)
		if strings.Contains(page, "<script>alert") || strings.Count(page, "</script>") != 1 || !strings.Contains(page, "tmk 43C6CC ✓") || !strings.Contains(page, pageWords["bench"][map[string]int{"zh": 0, "en": 1}[lang]]) {
			t.Errorf("%s", page)
		}
		dir := t.TempDir()
		key := base64.StdEncoding.EncodeToString(pub)
		file := filepath.Join(dir, "c.html")
		for text, good := range map[string]bool{page: true, strings.Replace(page, "ab12", "ab13", 1): false, strings.Replace(page, "</table>", "", 1): false, signature.Sign("hello\n", priv): false} {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			if code := run(context.Background(), []string{"provision", "verify", "--key", key, file}, &out, &errs); (code == exitOK) != good {
				t.Errorf("%s %d: %s%s", lang, code, out.String(), errs.String())
			}
		}
	}
}

func TestProvisionWantsSense(t *testing.T) {
	for _, args := range [][]string{
		{"provision"}, {"provision", "--serial", "../x", "--person", "a", "--key", "k"}, {"provision", "--serial", "SW1", "--person", "a", "--key", "k", "--kcv", "tmk=zz"},
		{"survey", "--for", "1s", "--every", "2s"}, {"config", "set"}, {"selfcheck", "now"},
	} {
		var out, errs bytes.Buffer
		if code := run(context.Background(), args, &out, &errs); code != exitUsage {
			t.Errorf("%v: exit %d: %s", args, code, errs.String())
		}
	}
}
