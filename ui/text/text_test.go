package text

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"swipewell/ui/font"
	"swipewell/ui/prompt"

	"github.com/google/go-cmp/cmp"
)

// each calls f with every text that can reach a person.
func each(f func(where string, lang Lang, code prompt.Code, s string)) {
	for _, e := range prompt.All() {
		for _, lang := range []Lang{ZH, EN} {
			m := Get(lang, e.Code)
			for part, s := range map[string]string{"title": m.Title, "body": m.Body, "next": m.Next, "small": m.Small} {
				f(fmt.Sprintf("%s %s %s", e.Code, lang, part), lang, e.Code, s)
			}
			f(fmt.Sprintf("%s %s %s", e.Code, lang, e.Help), lang, e.Code, Help(lang, e.Help))
		}
	}
}

func TestBothLanguagesAreWhole(t *testing.T) {
	if m := Missing(); len(m) > 0 {
		t.Errorf("codes without words or help: %v", m)
	}
	known := map[prompt.Code]bool{}
	for _, e := range prompt.All() {
		known[e.Code] = true
		for _, lang := range []Lang{ZH, EN} {
			if m := Get(lang, e.Code); m.Next == "" && e.Code[0] != 'E' {
				t.Errorf("%s %s does not say what to do", e.Code, lang)
			}
		}
	}
	for code := range rows {
		if !known[code] {
			t.Errorf("%s has words and no row in the catalogue", code)
		}
	}
	for key, l := range labels {
		if l.zh == "" || l.en == "" {
			t.Errorf("label %q lacks a language", key)
		}
	}
}

// TestRowsAreUnique: a second row of a code would silently win.
func TestRowsAreUnique(t *testing.T) {
	n := 0
	for _, table := range [][]row{stepRows, moneyRows, kindRows, cardRows, netRows, deviceRows, keyRows, logRows, tableRows, ruleRows, chipRows, shopRows, causeRows, updRows, declineRows()} {
		n += len(table)
	}
	if n != len(rows) {
		t.Errorf("%d rows for %d codes", n, len(rows))
	}
}

func TestHelpPagesAreUsed(t *testing.T) {
	used := map[string]bool{}
	for _, e := range prompt.All() {
		used[e.Help] = true
	}
	for _, id := range HelpIDs() {
		if !used[id] {
			t.Errorf("no code leads to %s", id)
		}
		for _, lang := range []Lang{ZH, EN} {
			if n := len(strings.Split(Help(lang, id), "\n")); n != 4 {
				t.Errorf("%s %s has %d lines, not a title and three paragraphs", id, lang, n)
			}
		}
	}
	if Help(ZH, "help/none") != "" {
		t.Error("a page that is not there")
	}
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// TestPlaceholders: each is known, both languages use the same set, and a
// filled text keeps none.
func TestPlaceholders(t *testing.T) {
	names := []string{"{amount}", "{card}", "{rc}", "{stan}", "{rrn}", "{auth}", "{field}", "{host}", "{n}", "{seconds}", "{time}", "{kind}", "{reason}", "{left}", "{rule}", "{span}"}
	full := prompt.Args{Amount: "1.00", Card: "****1234", RC: "51", STAN: "1", RRN: "2", Auth: "3", Field: "f", Host: "h", N: 1, Seconds: 2, Time: "t", Left: "l", Rule: "r", Span: "s"}
	set := func(m Message) []string {
		s := placeholder.FindAllString(m.Title+m.Body+m.Next, -1)
		slices.Sort(s)
		return slices.Compact(s)
	}
	for _, e := range prompt.All() {
		if d := cmp.Diff(set(Get(ZH, e.Code)), set(Get(EN, e.Code))); d != "" {
			t.Errorf("%s: the languages name other fields (-zh +en):\n%s", e.Code, d)
		}
		for _, args := range []prompt.Args{full, {}} {
			for _, lang := range []Lang{ZH, EN} {
				m := Format(lang, e.Code, args)
				if all := m.Title + m.Body + m.Next + m.Small; strings.ContainsAny(all, "{}<>") {
					t.Errorf("%s %s: not filled: %q", e.Code, lang, all)
				}
			}
		}
	}
	each(func(where string, _ Lang, _ prompt.Code, s string) {
		for _, p := range placeholder.FindAllString(s, -1) {
			if !slices.Contains(names, p) {
				t.Errorf("%s: unknown placeholder %s", where, p)
			}
		}
		if strings.Count(s, "<") != strings.Count(s, ">") {
			t.Errorf("%s: an open optional part: %q", where, s)
		}
	})
}

// unproven are the answers that prove nothing (money rule 4).
var unprovenCodes = []prompt.Code{"D-HST-06", "D-HST-09", "D-HST-68", "D-HST-96", "D-HST-98"}

func moneyUnknown(c prompt.Code) bool {
	return c[0] == 'U' || c == prompt.StoreFault || c == prompt.Reversing || c == prompt.Waiting || c == prompt.Dialling ||
		c == prompt.Preparing || slices.Contains(unprovenCodes, c)
}

// TestNobodyIsToldToPayAgain while the fate of money is unknown. THROTTLE I11.
func TestNobodyIsToldToPayAgain(t *testing.T) {
	again := regexp.MustCompile(`(?i)请重试|重试|再试|再刷|重新收款|重新刷|再收款|try again|retry|swipe once more|swipe again,|new sale|start again`)
	each(func(where string, _ Lang, code prompt.Code, s string) {
		s = strings.NewReplacer("DO NOT SWIPE AGAIN", "", "Do not swipe again", "").Replace(s)
		if hit := again.FindString(s); hit != "" && moneyUnknown(code) {
			t.Errorf("%s says %q", where, hit)
		}
	})
}

// TestNoDodges: no text teaches how to get round a limit of the bank.
func TestNoDodges(t *testing.T) {
	dodge := regexp.MustCompile(`(?i)拆分|分单|分次|分几笔|换一台|换台|换商户|错开金额|split|another terminal|another merchant|smaller amounts`)
	each(func(where string, _ Lang, _ prompt.Code, s string) {
		if hit := dodge.FindString(s); hit != "" {
			t.Errorf("%s says %q", where, hit)
		}
	})
}

// TestNobodyIsAccused: the titles of HOST §2 are given; what we add to them is
// neutral.
func TestNobodyIsAccused(t *testing.T) {
	accuse := regexp.MustCompile(`(?i)作弊|盗|窃|欺诈|骗|可疑|违法|犯罪|伪卡|fraud|steal|stolen|thief|cheat|suspect|illegal`)
	each(func(where string, _ Lang, code prompt.Code, s string) {
		given := code[0] == 'D' && (strings.HasSuffix(where, "title") || strings.HasSuffix(where, "small"))
		if hit := accuse.FindString(s); hit != "" && !given {
			t.Errorf("%s says %q", where, hit)
		}
	})
}

// TestNotSent: only a proof that no byte left may say so.
func TestNotSent(t *testing.T) {
	for _, e := range prompt.All() {
		for lang, words := range map[Lang]string{ZH: "未发送,未扣款", EN: "not sent, not charged"} {
			m := Get(lang, e.Code)
			said := strings.Contains(strings.ToLower(m.Title+"\n"+m.Body+"\n"+m.Next), words)
			must := e.Code[0] == 'N' || strings.HasPrefix(string(e.Code), "F-NET")
			may := must || strings.HasPrefix(string(e.Code), "F-SGN") || strings.HasPrefix(string(e.Code), "F-CRD") || strings.HasPrefix(string(e.Code), "F-CHP")
			if said && !may || must && !said {
				t.Errorf("%s %s: %q said %v", e.Code, lang, words, said)
			}
		}
	}
}

// TestCardAdvice: each fault of a swipe says what was wrong and what to do.
func TestCardAdvice(t *testing.T) {
	do := map[Lang]*regexp.Regexp{
		ZH: regexp.MustCompile(`匀速|慢一点|方向|换|刷到底|刷完`),
		EN: regexp.MustCompile(`(?i)steadily|slower|one speed|the other way|other way round|another card|end to end`),
	}
	for _, e := range prompt.All() {
		if !strings.HasPrefix(string(e.Code), "F-CRD") {
			continue
		}
		for lang, re := range do {
			if m := Get(lang, e.Code); m.Body == "" || !re.MatchString(m.Next) {
				t.Errorf("%s %s: cause %q, advice %q", e.Code, lang, m.Body, m.Next)
			}
		}
	}
}

// TestGlyphs: the font draws every sign of every text.
func TestGlyphs(t *testing.T) {
	check := func(where, s string) {
		for _, r := range s {
			if r != '\n' && !font.Has(r) {
				t.Errorf("%s: the font lacks %q", where, r)
			}
		}
	}
	each(func(where string, _ Lang, _ prompt.Code, s string) { check(where, s) })
	for key, l := range labels {
		check("label "+key, l.zh+l.en)
	}
	for key, l := range lines {
		check("line "+key, l.zh+l.en)
	}
}

// TestLines: the lines of pages are held to the manner of all texts: both
// languages, the same blanks in each, nobody accused, no dodge, English that any
// terminal pages, and no word on what was charged but what the books say.
func TestLines(t *testing.T) {
	bad := regexp.MustCompile(`(?i)作弊|盗|窃|欺诈|骗|可疑|违法|犯罪|伪卡|fraud|steal|stolen|thief|cheat|suspect|illegal|拆分|分单|分次|分几笔|换一台|换台|换商户|错开金额|split|another terminal|another merchant|smaller amounts|未扣款|not charged`)
	blank := regexp.MustCompile(`\{[1-4]\}`)
	for key, l := range lines {
		if l.zh == "" || l.en == "" {
			t.Errorf("%s: a language is missing", key)
		}
		if hit := bad.FindString(l.zh + l.en); hit != "" {
			t.Errorf("%s says %q", key, hit)
		}
		zh, en := blank.FindAllString(l.zh, -1), blank.FindAllString(l.en, -1)
		slices.Sort(zh)
		slices.Sort(en)
		if !slices.Equal(zh, en) {
			t.Errorf("%s: blanks %v in Chinese, %v in English", key, zh, en)
		}
		for _, r := range l.en {
			if r > 0x7E {
				t.Errorf("%s: %q", key, r)
			}
		}
	}
	if got := Line(EN, "alert.state", "@route.acquirer", "@alert.queued", "@alert.open"); got != "  acquirer's risk desk: queued, open" {
		t.Errorf("%q", got)
	}
}

// TestEnglishIsASCII, so that it prints on any paper and pages in any terminal.
func TestEnglishIsASCII(t *testing.T) {
	each(func(where string, lang Lang, code prompt.Code, s string) {
		for _, r := range s {
			if lang == EN && r > 0x7E && code != prompt.MenuLang {
				t.Errorf("%s: %q", where, r)
			}
		}
	})
}

// TestHostTable holds titles to the table of HOST §2, read by hand once more.
func TestHostTable(t *testing.T) {
	for code, want := range map[prompt.Code][2]string{
		"A-SAL-01": {"交易成功", "APPROVED"}, "A-SAL-11": {"成功,VIP客户", "APPROVED VIP"},
		"A-SAL-A2": {"交易成功,请向发卡行确认", "APPROVED, CONFIRM WITH ISSUER"},
		"D-HST-01": {"请持卡人与发卡银行联系", "CALL ISSUER"}, "D-HST-03": {"无效商户", "INVALID MERCHANT"},
		"D-HST-04": {"此卡为无效卡,没收", "PICK UP CARD"}, "D-HST-05": {"持卡人认证失败", "DO NOT HONOUR"},
		"D-HST-14": {"无效卡号", "INVALID CARD NO"}, "D-HST-30": {"请重试", "FORMAT ERROR"},
		"D-HST-38": {"密码错误次数超限,请与发卡方联系", "PIN TRIES EXCEEDED"}, "D-HST-45": {"请使用芯片", "USE CHIP"},
		"D-HST-51": {"可用余额不足", "INSUFFICIENT FUNDS"}, "D-HST-54": {"该卡已过期", "EXPIRED CARD"},
		"D-HST-55": {"密码错", "WRONG PIN"}, "D-HST-58": {"发卡方不允许该卡在本终端进行此交易", "NOT PERMITTED AT TERMINAL"},
		"D-HST-61": {"交易金额超限", "AMOUNT OVER LIMIT"}, "D-HST-65": {"超出取款(消费)次数限制", "TOO MANY TXNS TODAY"},
		"D-HST-68": {"交易超时", "ISSUER TIMEOUT"}, "D-HST-90": {"系统日切,请稍后重试", "HOST CUT-OFF, RETRY LATER"},
		"D-HST-91": {"发卡方状态不正常,请稍后重试", "ISSUER NOT AVAILABLE"}, "D-HST-94": {"重复流水号,本笔未受理", "DUPLICATE STAN"},
		"D-HST-97": {"终端号未登记", "TERMINAL NOT REGISTERED"}, "D-HST-99": {"PIN格式错,请重新签到", "PIN BLOCK ERROR"},
		"D-HST-A0": {"MAC校验错,请重新签到", "MAC ERROR"}, "D-HST-C1": {"受理方状态非法", "ACQUIRER OFFLINE"},
	} {
		if got := [2]string{Get(ZH, code).Title, Get(EN, code).Title}; got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
	if got := Format(ZH, prompt.Declined("Q7"), prompt.Args{RC: "Q7"}).Title; got != "交易失败 错误码[Q7]" {
		t.Errorf("unknown code: %q", got)
	}
	if got := Format(EN, prompt.ApprovedPartial, prompt.Args{Amount: "8.00"}).Title; got != "PARTIAL APPROVAL 8.00" {
		t.Errorf("partial: %q", got)
	}
}

func TestOptionalParts(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"<{amount}元 ><卡{card}>", "12.80元 "},
		{"{n} 笔", "0 笔"},
		{"<{n} 笔>", ""},
		{"{card}", "--"},
		{"a<b", "ab"},
		{"a{b", "a"},
		{"{zzz}", "--"},
	} {
		if got := (filler{ZH, prompt.Args{Amount: "12.80"}}).fill(c.in); got != c.want {
			t.Errorf("fill(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// FuzzFormat: whatever the host or a file puts into a field, it is text and
// never a template.
func FuzzFormat(f *testing.F) {
	f.Add("12.80", "{card}", "<68>")
	f.Add("", "\n", "}{")
	f.Fuzz(func(t *testing.T, amount, host, rc string) {
		for _, e := range prompt.All() {
			m := Format(EN, e.Code, prompt.Args{Amount: amount, Host: host, RC: rc})
			if strings.Contains(Get(EN, e.Code).Body, "{host}") && !strings.Contains(m.Body, oneLine(host)) {
				t.Errorf("%s lost the words of the host: %q", e.Code, m.Body)
			}
		}
	})
}

func ExampleFormat() {
	m := Format(ZH, prompt.UnknownNoAnswer, prompt.Args{Amount: "12.80", Card: "****1234"})
	fmt.Println(m.Title)
	fmt.Println(m.Body)
	fmt.Println(m.Next)
	// Output:
	// 银行未应答,正在冲正
	// 12.80元 卡****1234
	// 结果未知,本机自动冲正,不会多扣款。
	// 请勿重刷,等待冲正结果
}

func ExampleLabel() {
	fmt.Println(Label(ZH, "stan"), Label(EN, "stan"), Label(EN, "no-such-key"))
	// Output: 凭证号 Trace no no-such-key
}
