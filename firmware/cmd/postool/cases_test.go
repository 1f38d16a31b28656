package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"swipewell/firmware/journal/export"
	"swipewell/firmware/pos"
	"swipewell/firmware/sim/acquirer"
)

// words split a command as a shell does, double quotes only.
var words = regexp.MustCompile(`"[^"]*"|\S+`)

func commandLine(s string) (args []string) {
	for _, w := range words.FindAllString(s, -1) {
		args = append(args, strings.Trim(w, `"`))
	}
	return args
}

// verdict is what a story says of the money.
func verdict(t *testing.T, story string) string {
	t.Helper()
	_, s, ok := strings.Cut(story, "The money: ")
	if !ok {
		t.Fatalf("no word of the money:\n%s", story)
	}
	s, _, _ = strings.Cut(s, "\n")
	switch {
	case strings.Contains(s, "not known yet"):
		return "open"
	case strings.Contains(s, "not charged"):
		return "not charged"
	case strings.Contains(s, "was charged"):
		return "charged"
	}
	return s
}

// Each case of doc/cases is answered by two commands as the host's books have it.
func TestCases(t *testing.T) {
	t.Setenv("TZ", "CST-8")
	scripts, err := filepath.Glob("../../doc/cases/*.txtar")
	if err != nil || len(scripts) < 10 {
		t.Fatalf("%d cases, %v", len(scripts), err)
	}
	told := map[string]int{}
	for _, path := range scripts {
		base := strings.TrimSuffix(path, ".txtar")
		t.Run(filepath.Base(base), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			part := map[string]string{}
			for _, f := range a.Files {
				part[f.Name] = strings.TrimSpace(string(f.Data))
			}
			raw, err := os.ReadFile(base + ".swjx")
			if err != nil {
				t.Fatal(err)
			}
			if len(raw) > 16<<10 {
				t.Errorf("%d bytes: a case is a few kB", len(raw))
			}
			x, err := export.Read(raw)
			if err != nil || !x.Whole {
				t.Fatalf("whole %v, %v", x != nil && x.Whole, err)
			}
			asks := strings.Split(part["ask"], "\n")
			if len(asks) > 2 || part["question"] == "" {
				t.Fatalf("%d commands, question %q", len(asks), part["question"])
			}
			tx, out := "", ""
			for _, ask := range asks {
				ask = strings.NewReplacer("@EXPORT", base+".swjx", "@DAY", x.Manifest.Made.In(pos.CST).Format(time.DateOnly), "@TX", tx).Replace(ask)
				var o, e bytes.Buffer
				if code := run(t.Context(), commandLine(ask), &o, &e); code != exitOK {
					t.Fatalf("%s: %d, %s", ask, code, e.String())
				}
				out = o.String()
				if m := regexp.MustCompile(`\[(\S+-\d{6}-\d{6})\]`).FindStringSubmatch(out); m != nil && tx == "" {
					tx = m[1]
				}
			}
			got := verdict(t, out)
			if got != part["answer"] {
				t.Errorf("%s\npostool says %q, the answer is %q", part["question"], got, part["answer"])
			}
			told[got]++
			// The books are what counts.
			books, err := os.Open(base + ".books")
			if err != nil {
				t.Fatal(err)
			}
			defer books.Close()
			var entries []acquirer.Entry
			for d := json.NewDecoder(books); d.More(); {
				var b acquirer.Entry
				if err := d.Decode(&b); err != nil {
					t.Fatal(err)
				}
				entries = append(entries, b)
			}
			stan := tx[strings.LastIndexByte(tx, '-')+1:]
			net := acquirer.NetCapture(entries, func(b acquirer.Entry) bool { return b.STAN.String() == stan })
			switch {
			case got == "not charged" && net != 0, got == "charged" && net <= 0, got == "open" && net <= 0:
				t.Errorf("postool says %q, the books have %v", got, pos.Fen(net))
			}
		})
	}
	if told["charged"] == 0 || told["not charged"] == 0 || told["open"] == 0 {
		t.Errorf("the cases ask one question only: %v", told)
	}
}

// Every tape of the cases runs again without a difference, and no case was edited.
func TestCasesReplayAndVerify(t *testing.T) {
	files, _ := filepath.Glob("../../doc/cases/*.swjx")
	tapes := 0
	for _, path := range files {
		var o, e bytes.Buffer
		if code := run(t.Context(), []string{"log", "verify", "--from", path}, &o, &e); code != exitOK {
			t.Errorf("%s: %s%s", path, o.String(), e.String())
		}
		o.Reset()
		run(t.Context(), []string{"log", "--from", path, "--code", "E-TXN-10", "-n", "0", "-o", "json"}, &o, &e)
		seen := map[string]bool{}
		for d := json.NewDecoder(&o); d.More(); {
			var x struct{ Tx string }
			if err := d.Decode(&x); err != nil {
				t.Fatal(err)
			}
			if seen[x.Tx] {
				continue
			}
			seen[x.Tx] = true
			var out, errs bytes.Buffer
			if code := run(t.Context(), []string{"replay", path, "--tx", x.Tx}, &out, &errs); code != exitOK {
				t.Errorf("%s %s: %s%s", path, x.Tx, out.String(), errs.String())
			}
			tapes++
		}
	}
	if tapes < 9 {
		t.Errorf("only %d tapes", tapes)
	}
}

var update = flag.Bool("update", false, "write the golden stories anew")

// The page of a chip sale whose answer was lost, in both languages.
func TestStoryGolden(t *testing.T) {
	base := "../../doc/cases/01-chip-answer-lost"
	for _, lang := range []string{"en", "zh"} {
		args := []string{"log", "story", "2", "--from", base + ".swjx"}
		if lang == "zh" {
			args = append(args, "--zh")
		}
		t.Setenv("TZ", "CST-8")
		var o, e bytes.Buffer
		if code := run(t.Context(), args, &o, &e); code != exitOK {
			t.Fatalf("%d %s", code, e.String())
		}
		golden := base + ".story." + lang
		if *update {
			if err := os.WriteFile(golden, o.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if o.String() != string(want) {
			t.Errorf("the story in %s is not %s:\n%s", lang, golden, o.String())
		}
		if strings.Contains(o.String(), "6225880000") || regexp.MustCompile(`[^A\d]\d{13,}`).MatchString(o.String()) {
			t.Errorf("a long number is in the story:\n%s", o.String())
		}
	}
}
