package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

func entryAt(h, m int, c prompt.Code, fields ...any) journal.Entry {
	e := journal.Entry{Wall: time.Date(2026, 11, 23, h, m, 0, 0, pos.CST), Level: "INFO", Code: c}
	for i := 0; i+1 < len(fields); i += 2 {
		e.Fields = append(e.Fields, journal.Pair{Key: fields[i].(string), Value: fields[i+1]})
	}
	return e
}

func day() *Report {
	r := &Report{}
	for _, e := range []journal.Entry{
		entryAt(9, 0, prompt.LogSwipe, "t2", "ok"),
		entryAt(9, 1, prompt.LogSwipe, "t2", "lrc"),
		entryAt(9, 2, prompt.LogChip, "what", "reset"),
		entryAt(9, 2, prompt.LogChip, "what", "approved-online", "took", "1.5s"),
		entryAt(9, 2, prompt.LogPath, "keying", "2s", "entering-pin", "4s", "screens", "P-AMT-01@0"),
		entryAt(9, 3, prompt.LogSent, "mti", "0200", "queue", int64(3)),
		entryAt(9, 3, prompt.LogAnswer, "mti", "0210", "dial", "900ms", "wait", "700ms", "csq", "21"),
		entryAt(9, 3, prompt.LogOutcome, "rc", "00", "why", "A-SAL-01"),
		entryAt(14, 0, prompt.LogAnswer, "end", "no-answer", "wait", "30s", "csq", "5"),
		entryAt(14, 0, prompt.LogOutcome, "why", "U-ANS-01"),
		entryAt(14, 5, prompt.LogOutcome, "rc", "51", "why", "D-HST-51"),
		entryAt(14, 6, prompt.LogDecision, "action", "supervisor", "rule", "R08"),
		entryAt(14, 7, prompt.LogDecision, "action", "warn", "rule", "R13"),
		entryAt(15, 0, prompt.LogSent, "mti", "0400"),
	} {
		r.Add(e)
	}
	return r
}

func TestCounts(t *testing.T) {
	r := day()
	if r.payments != 3 || r.approved != 1 || r.unknown != 1 || r.classes["funds 51"] != 1 {
		t.Errorf("%d payments, %d approved, %d unknown, %v", r.payments, r.approved, r.unknown, r.classes)
	}
	if r.swipes[9] != 3 || r.stops[14] != 1 || r.readers["stripe lrc"] != 1 {
		t.Errorf("swipes %v stops %v readers %v", r.swipes, r.stops, r.readers)
	}
	if _, mid, _ := r.signals(); mid[9] != 21 || mid[14] != 5 || mid[10] != -1 {
		t.Errorf("signal %v", mid)
	}
	if d := r.depths(2); d[0] != 3 || d[1] != 0 {
		t.Errorf("queue %v", d)
	}
	if _, p50, _, most := spread(r.stages["wait"]); p50 != 30*time.Second || most != 30*time.Second {
		t.Errorf("wait %v %v", p50, most)
	}
}

// The file asks nothing of any network and runs nothing; a hostile name stays text.
func TestHTMLStandsAlone(t *testing.T) {
	for _, r := range []*Report{day(), {}} {
		for _, lang := range []string{"en", "zh"} {
			var b bytes.Buffer
			if err := r.HTML(&b, lang, `<script>alert(1)</script>`); err != nil {
				t.Fatal(err)
			}
			s := b.String()
			for _, bad := range []string{"<script", "src=", "href", "url(", "@import", "http:", "https:", "NaN", "%!"} {
				if strings.Contains(s, bad) {
					t.Errorf("%s: %q is in the page", lang, bad)
				}
			}
			for _, tag := range []string{"svg", "g", "section", "main", "text", "title"} {
				if a, z := strings.Count(s, "<"+tag+" ")+strings.Count(s, "<"+tag+">"), strings.Count(s, "</"+tag+">"); a != z {
					t.Errorf("%s: %d <%s> and %d ends", lang, a, tag, z)
				}
			}
			for _, key := range []string{"stages", "signal", "declines", "swipes", "readers", "queue"} {
				if !strings.Contains(s, ">"+word(lang, key)+"<") {
					t.Errorf("%s: no plot of %s", lang, key)
				}
			}
		}
	}
	var b bytes.Buffer
	day().HTML(&b, "en", "x")
	if n := strings.Count(b.String(), "<svg"); n != 6 {
		t.Errorf("%d plots, want 6", n)
	}
}

func TestText(t *testing.T) {
	var b bytes.Buffer
	day().Text(&b, "en")
	for _, want := range []string{"host answer", "30 s", "funds 51", "stripe lrc", "Queue depth"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	for _, line := range strings.Split(b.String(), "\n") {
		if n := len([]rune(line)); n > 100 {
			t.Errorf("%d cells: %s", n, line)
		}
	}
	var empty bytes.Buffer
	(&Report{}).Text(&empty, "zh")
}
