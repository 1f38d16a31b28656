package text

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"swipewell/ui/prompt"
)

// claim is every way of saying that nothing was charged. "Not charged twice" is
// another thing, and always meant.
var claim = regexp.MustCompile(`(?i)未扣|没有扣款|没扣款|不会扣款|不扣款|not charged|no charge|nothing (was|is) charged|not been charged|without (a )?charge`)

// proofs are the codes that may claim it, by their beginning, and what in the
// journal proves it. A code that is in none may not.
var proofs = map[string]string{
	"N-":       "the intent was dropped, no byte had left",
	"F-NET":    "no link: the intent was dropped, no byte had left",
	"F-SGN":    "signed on before the intent: there is none",
	"F-CRD":    "the card is read before the intent",
	"F-CHP":    "the chip is read, and fails, before the intent",
	"F-FLD":    "the form is not whole: there is no intent",
	"F-OPR":    "a card before its amount: there is no form",
	"F-ORG":    "the original is looked up before the intent",
	"F-SAF":    "store and forward is refused before a row is kept",
	"F-TIP":    "the tip is refused before the row is edited",
	"F-STO-05": "no room: asked before the intent",
	"F-STO-06": "read only: asked before the intent",
	"D-HST":    "a refusal of the host, under a MAC that fits",
	"A-REV-01": "the host's word on the reversal",
	"A-VOI-01": "the host's word on the void",
	"P-HNT-09": "training: the bank is in the process",
}

// TestClaims: only what the journal proves is claimed; no rule and no cause
// claims it; and no code on the list has lost its reason to be there.
func TestClaims(t *testing.T) {
	used := map[string]bool{}
	for _, e := range prompt.All() {
		for _, lang := range []Lang{ZH, EN} {
			m := Get(lang, e.Code)
			said := claim.FindString(strings.Join([]string{m.Title, m.Body, m.Next, m.Small}, "\n"))
			if said == "" {
				continue
			}
			if e.Code[0] == 'T' || e.Code[0] == 'C' {
				t.Errorf("%s %s: a rule or a cause says %q", e.Code, lang, said)
			}
			found := ""
			for p := range proofs {
				if strings.HasPrefix(string(e.Code), p) {
					found = p
				}
			}
			if found == "" {
				t.Errorf("%s %s says %q, and nothing proves it", e.Code, lang, said)
			}
			for _, c := range unprovenCodes {
				if e.Code == c {
					t.Errorf("%s %s says %q: that answer proves nothing", e.Code, lang, said)
				}
			}
			used[found] = true
		}
	}
	for p := range proofs {
		if !used[p] {
			t.Errorf("no code that begins with %s claims anything", p)
		}
	}
	for key, l := range lines {
		if said := claim.FindString(l.zh + "\n" + l.en); said != "" && key != "train.safe" {
			t.Errorf("line %s says %q", key, said)
		}
	}
}

// dodges are ways round a limit of a bank. What the customers themselves do, as
// two who share a bill, is none.
var dodges = regexp.MustCompile(`(?i)拆分|拆单|拆成|分单|分次|分几|分开刷|分笔|多刷几|换一台|换台|换商户|换个商户|错开|化整为零|小额可以|改成小额|` +
	`split|in parts|piecemeal|several smaller|smaller (sums?|amounts?|payments?)|small (sums|amounts) (pass|work|go)|another (terminal|merchant|shop|device)|other (terminals?|merchants?)|stagger|below the limit|under the limit`)

// TestNoWayRoundALimit: no rule, cause, refusal or line of a page, nor the help
// behind them, tells how to get round a limit.
func TestNoWayRoundALimit(t *testing.T) {
	for _, hit := range []string{"请拆分金额", "换一台机器再刷", "错开金额", "Split the amount", "try another terminal", "Small sums pass"} {
		if !dodges.MatchString(hit) {
			t.Errorf("%q passes", hit)
		}
	}
	each(func(where string, _ Lang, _ prompt.Code, s string) {
		if hit := dodges.FindString(s); hit != "" {
			t.Errorf("%s says %q", where, hit)
		}
	})
	for key, l := range lines {
		if hit := dodges.FindString(l.zh + "\n" + l.en); hit != "" {
			// The plan after a tampered case takes a spare device: no limit is met.
			if key != "run.tamper.4" {
				t.Errorf("line %s says %q", key, hit)
			}
		}
	}
}

// han counts Chinese characters.
func han(s string) (n int) {
	for _, r := range s {
		if unicode.Is(unicode.Han, r) {
			n++
		}
	}
	return n
}

// TestRulesAndCausesAreSaidPlainly: each names what happened and one step, a rule
// its number, within forty characters; longer ones of other classes are reported.
func TestRulesAndCausesAreSaidPlainly(t *testing.T) {
	n := 0
	for _, e := range prompt.All() {
		zh := Get(ZH, e.Code)
		if e.Code[0] != 'T' && e.Code[0] != 'C' {
			if c := han(zh.Title + zh.Body); c > 40 {
				t.Logf("%s has %d characters", e.Code, c)
			}
			continue
		}
		n++
		if c := han(zh.Title + zh.Body + zh.Next); c > 40 {
			t.Errorf("%s has %d characters", e.Code, c)
		}
		for _, lang := range []Lang{ZH, EN} {
			m := Get(lang, e.Code)
			if m.Title == "" || m.Next == "" {
				t.Errorf("%s %s: title %q, next step %q", e.Code, lang, m.Title, m.Next)
			}
			if e.Code[0] == 'T' && e.Code != prompt.RuleView && !strings.Contains(m.Title+m.Body, "{rule}") {
				t.Errorf("%s %s does not name its rule", e.Code, lang)
			}
			if e.Code[0] == 'C' && strings.Contains(m.Title+m.Body, "{rule}") {
				t.Errorf("%s %s is a cause and names a rule", e.Code, lang)
			}
		}
	}
	for name, c := range prompt.RuleTexts {
		if m := Format(ZH, c, prompt.Args{Rule: "R-04"}); c[0] == 'T' && !strings.Contains(m.Title+m.Body, "R-04") {
			t.Errorf("%s: %s", name, fmt.Sprint(m))
		}
	}
	if n < 60 {
		t.Errorf("only %d rules and causes", n)
	}
}
