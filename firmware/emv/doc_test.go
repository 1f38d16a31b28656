package emv_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFeatureTable: what firmware/doc/emv.md names exists.
func TestFeatureTable(t *testing.T) {
	b, err := os.ReadFile("../doc/emv.md")
	if err != nil {
		t.Fatal(err)
	}
	funcs := map[string]bool{}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				funcs[name+":"+fn.Name.Name] = true
				if strings.HasPrefix(fn.Name.Name, "Test") {
					funcs[fn.Name.Name] = true
				}
			}
		}
	}
	row := regexp.MustCompile("(?m)^\\| [^|]+ \\| [^|]+ \\| `([^`]+)`[^|]* \\| `([^`]+)` \\|$")
	rows := row.FindAllStringSubmatch(string(b), -1)
	if len(rows) < 50 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, r := range rows {
		if strings.Contains(r[1], ":") && !funcs[r[1]] {
			t.Errorf("no function %s", r[1])
		}
		switch proof := r[2]; {
		case strings.HasPrefix(proof, "Test"):
			if !funcs[proof] {
				t.Errorf("no test %s", proof)
			}
		default:
			if !strings.HasPrefix(proof, "oracle/") {
				proof = "pitfalls/" + proof
			}
			if _, err := os.Stat(filepath.Join("testdata", proof+".json")); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestExportsCiteTheBook: each exported name says where it comes from.
func TestExportsCiteTheBook(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	cite := regexp.MustCompile(`B[1-4] (§|Annex)`)
	n := 0
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && !plumbing[d.Name.Name] {
					n++
					if !cite.MatchString(d.Doc.Text()) {
						t.Errorf("%s: %s cites no Book", name, d.Name.Name)
					}
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					spec, ok := s.(*ast.TypeSpec)
					if ok && spec.Name.IsExported() {
						n++
						if !cite.MatchString(d.Doc.Text()) {
							t.Errorf("%s: %s cites no Book", name, spec.Name.Name)
						}
					}
				}
			}
		}
	}
	if n < 40 {
		t.Errorf("%d names", n)
	}
}

// plumbing: names that Go, not EMV, asks for.
var plumbing = map[string]bool{"Format": true, "String": true, "Step": true, "Begin": true, "Has": true}
