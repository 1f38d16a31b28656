package font

import "strings"

// Wrap breaks s into rows of at most cols half-width columns: at "\n", between
// hanzi, and between words. A stop or comma never begins a row; a word longer
// than a row is broken where it must be.
func Wrap(s string, cols int) []string {
	var rows []string
	for para := range strings.SplitSeq(s, "\n") {
		rows = wrapLine(rows, strings.TrimSpace(para), cols)
	}
	return rows
}

// WrapTitle is Wrap for a title: two rows are divided at a comma if both halves fit.
func WrapTitle(s string, cols int) []string {
	rows := Wrap(s, cols)
	if len(rows) != 2 {
		return rows
	}
	if i := strings.LastIndex(s, ","); i > 0 && i+1 < len(s) {
		head, tail := s[:i+1], strings.TrimSpace(s[i+1:])
		if Columns(head) <= cols && Columns(tail) <= cols {
			return []string{head, tail}
		}
	}
	return rows
}

func wrapLine(rows []string, s string, cols int) []string {
	start, brk, used := 0, 0, 0 // byte offsets in s: of the row, of the last place to break; columns of the row
	var last rune
	for i, r := range s {
		if i > start && canBreak(last, r) {
			brk = i
		}
		n := RuneColumns(r)
		for used+n > cols && r != ' ' && start < i {
			if brk <= start {
				brk = i
			}
			rows = append(rows, strings.TrimRight(s[start:brk], " "))
			start = brk
			for start < len(s) && s[start] == ' ' {
				start++
			}
			brk = start
			used = 0
			if start < i {
				used = Columns(s[start:i])
			}
		}
		used += n
		last = r
	}
	if rest := strings.TrimRight(s[min(start, len(s)):], " "); rest != "" {
		rows = append(rows, rest)
	}
	return rows
}

// noStart are the signs that may not begin a row.
const noStart = ",.;:!?)]}%\u3002\u3001\uFF0C\uFF1B\uFF1A\uFF01\uFF1F\uFF09\u300B\u201D\u2019\u00B7"

func canBreak(before, after rune) bool {
	if strings.ContainsRune(noStart, after) || before == '(' || before == '\uFF08' {
		return false
	}
	return before == ' ' || RuneColumns(before) == 2 || RuneColumns(after) == 2
}
