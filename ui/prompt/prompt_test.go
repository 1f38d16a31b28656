package prompt_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"swipewell/ui/prompt"
)

// TestCatalogueIsWhole: every constant of codes.go has its row, rows ascend,
// and a row's code is well formed.
func TestCatalogueIsWhole(t *testing.T) {
	all := prompt.All()
	if !slices.IsSortedFunc(all, func(a, b prompt.Entry) int { return strings.Compare(string(a.Code), string(b.Code)) }) {
		t.Error("the catalogue is not sorted; Lookup would miss rows")
	}
	seen := map[prompt.Code]bool{}
	for _, e := range all {
		if seen[e.Code] {
			t.Errorf("%s has two rows", e.Code)
		}
		seen[e.Code] = true
		if got, ok := prompt.Lookup(e.Code); !ok || got != e {
			t.Errorf("Lookup(%s) = %v, %v", e.Code, got, ok)
		}
		if len(e.Code) != 8 || !strings.ContainsRune("PADUNFEMTC", rune(e.Code[0])) || e.Code[1] != '-' || e.Code[5] != '-' {
			t.Errorf("%q is not CLASS-TOPIC-NN", e.Code)
		}
		if !strings.HasPrefix(e.Help, "help/") {
			t.Errorf("%s has no help id", e.Code)
		}
	}
	for _, c := range constants(t) {
		if !seen[c] {
			t.Errorf("%s is a constant without a row", c)
		}
	}
}

// constants reads the codes out of codes.go.
func constants(t *testing.T) []prompt.Code {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []prompt.Code
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			for _, x := range v.Values {
				if lit, ok := x.(*ast.BasicLit); ok {
					s, _ := strconv.Unquote(lit.Value)
					out = append(out, prompt.Code(s))
				}
			}
		}
		return true
	})
	if len(out) < 100 {
		t.Fatalf("only %d constants found", len(out))
	}
	return out
}

func TestSeverityFollowsClass(t *testing.T) {
	for _, e := range prompt.All() {
		bad := false
		switch e.Code[0] {
		case 'P', 'M':
			bad = e.Severity > prompt.Warning
		case 'A':
			bad = e.Severity != prompt.Good && e.Code != prompt.ApprovedPartial
		case 'D', 'F':
			bad = e.Severity < prompt.Warning
		case 'U':
			bad = e.Severity < prompt.Warning
		}
		if bad {
			t.Errorf("%s has severity %v", e.Code, e.Severity)
		}
	}
}

func ExampleDeclined() {
	fmt.Println(prompt.Declined("51"), prompt.Declined("Q7"))
	e, _ := prompt.Lookup(prompt.Declined("51"))
	fmt.Println(e.Severity, e.Actor, e.Help)
	// Output:
	// D-HST-51 D-HST-XX
	// bad customer help/decline-funds
}
