package care

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"swipewell/firmware/diagnose"
	"swipewell/ui/text"
)

// TestKeysHaveWords: every key that this package, the terminal or the diagnosis
// puts on a page is in the table of texts, and every line of the table is used.
func TestKeysHaveWords(t *testing.T) {
	var src strings.Builder
	for _, dir := range []string{".", "../terminal", "../cmd/posd"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(f, "_test.go") {
				src.Write(b)
			}
		}
	}
	said := regexp.MustCompile(`(?:say|line|word)\("([a-z][A-Za-z0-9.-]*)"`).FindAllStringSubmatch(src.String(), -1)
	if len(said) < 60 {
		t.Fatalf("%d lines found", len(said))
	}
	want := map[string]bool{}
	for _, m := range said {
		if strings.HasSuffix(m[1], ".") { // a number follows
			continue
		}
		want[m[1]] = true
	}
	for _, r := range diagnose.Table() {
		want["cause."+r.Name()], want["who."+r.Who] = true, true
		if r.Test != "" {
			want["test."+r.Test] = true
		}
	}
	for i := range diagnose.SignalCount + 1 { // the last is what rules say
		want["sig."+diagnose.ID(i).String()] = true
	}
	for m := range metrics {
		want[m.Key()] = true
	}
	for i := range Lessons {
		want[LessonKey(i)+".do"] = true
	}
	for _, c := range Cases {
		for i := range DrillSteps {
			want[c+"."+num(i+1)] = true
		}
	}
	for k := range want {
		if !text.HasLine(k) {
			t.Errorf("%s has no words", k)
		}
	}
	for _, k := range text.LineKeys() {
		if !want[k] && !strings.Contains(src.String(), `"`+k+`"`) && !strings.Contains(src.String(), `"@`+k+`"`) && !prefixed(src.String(), k) {
			t.Errorf("%s is said nowhere", k)
		}
	}
}

// prefixed: the key is put together from its beginning.
func prefixed(src, key string) bool {
	for _, p := range []string{"a.", "route.", "ticket.sort.", "state."} {
		if strings.HasPrefix(key, p) {
			return true
		}
	}
	i := strings.LastIndexByte(key, '.')
	return i > 0 && strings.Contains(src, `"`+key[:i+1]+`"`)
}
