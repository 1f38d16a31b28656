package iso8583_test

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	. "swipewell/firmware/iso8583"
)

// The document has a row for each field, with the table's format and view.
func TestDocumentHasTheTable(t *testing.T) {
	text, err := os.ReadFile("../doc/wire-iso8583.md")
	if err != nil {
		if text, err = os.ReadFile("../doc/wire.md"); err != nil {
			t.Fatal(err)
		}
	}
	row := regexp.MustCompile(`(?m)^\| *(\d+) *\| *([^|]+?) *\| *((?:n|z|an|ans|b)(?:\.\.)?\d+(?: LLL?)?) *\| *([^|]+?) *\|$`)
	seen := map[int]bool{}
	for _, r := range row.FindAllStringSubmatch(string(text), -1) {
		de, err := strconv.Atoi(r[1])
		if err != nil || seen[de] {
			t.Fatalf("%q: %v", r[0], err)
		}
		seen[de] = true
		name := UnionPay.Name(de)
		if name == "" || len(r[2]) < len(name) || r[2][:len(name)] != name {
			t.Errorf("DE %d is %q in the document and %q in the table", de, r[2], name)
		}
		if a := UnionPay.Attr(de); r[3] != a {
			t.Errorf("DE %d is %s in the document and %s in the table", de, r[3], a)
		}
		if UnionPay.Hidden(de) != (r[4] == "hidden") {
			t.Errorf("DE %d: %q in the document, hidden %v in the table", de, r[4], UnionPay.Hidden(de))
		}
	}
	for de := 2; de <= 64; de++ {
		if UnionPay.Name(de) != "" && !seen[de] {
			t.Errorf("DE %d is not in the document", de)
		}
	}
}
