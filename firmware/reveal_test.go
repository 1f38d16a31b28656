package firmware_test

import (
	"go/ast"
	"go/token"
	"slices"
	"testing"
)

// revealers are the functions that may take card data out in clear, each with its
// reason. PCI 3.4, 3.5. firmware/card itself is on the list, function by function.
var revealers = map[string]string{
	"firmware/card Masked":              "six digits and four for people",
	"firmware/card LuhnOK":              "the check digit",
	"firmware/card Ref":                 "the CardRef, a keyed hash",
	"firmware/card ScopeOf":             "the velocity table's names, keyed hashes",
	"firmware/card AppendSealable":      "what the key store seals",
	"firmware/card ExpiredAt":           "an expiry against the calendar",
	"firmware/keys PINBlock":            "the PIN block is bound to the number inside the key store",
	"firmware/hostlink Financial":       "DE 14",
	"firmware/hostlink reversal":        "DE 14",
	"firmware/hostlink pan":             "DE 2",
	"firmware/hostlink track2":          "DE 35",
	"firmware/hostlink Details":         "DE 48 of a batch upload",
	"firmware/cmd/postool recoveryOpen": "the acquirer's desk, with its own key, and only by --pan",
	"firmware/terminal disguise":        "training: the track's keyed hash picks a test card",
}

// uses are the places in which Reveal is called, by package and function.
func uses(t *testing.T, ps []pkg, name string) map[string]token.Position {
	t.Helper()
	out := map[string]token.Position{}
	for _, p := range ps {
		eachFile(t, p, p.GoFiles, func(_ string, f *ast.File, fs *token.FileSet) {
			for _, d := range f.Decls {
				where := "a variable"
				if fn, ok := d.(*ast.FuncDecl); ok {
					where = fn.Name.Name
				}
				ast.Inspect(d, func(n ast.Node) bool {
					// Also where it is not called at once but handed on.
					if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == name {
						out[rel(p.ImportPath)+" "+where] = fs.Position(sel.Pos())
					}
					return true
				})
			}
		})
	}
	return out
}

// TestReveal: nobody else does, and nobody on the list has stopped.
func TestReveal(t *testing.T) {
	found := uses(t, list(t, "./..."), "Reveal")
	for where, at := range found {
		if revealers[where] == "" {
			t.Errorf("%v: %s reveals card data and is not on the list", at, where)
		}
	}
	for where := range revealers {
		if _, ok := found[where]; !ok {
			t.Errorf("%s is on the list and reveals nothing", where)
		}
	}
	// The search does find: the bytes of a Secret have many users.
	if len(uses(t, list(t, "./firmware/card"), "Use")) < 2 {
		t.Error("the search finds nothing")
	}
}

// secretUsers may look into a hal.Secret: tracks and PINs. The key store's own
// cryptography and the drivers that make one are beside them.
var secretUsers = []string{"firmware/card", "firmware/keys", "firmware/terminal", "drivers/softkeys", "drivers/msr", "drivers/panel", "firmware/sim", "firmware/cmd/posbench", "firmware/cmd/hostsim", "hal"}

// TestSecretsStayInTheirRooms: of the packages that a device has, only these open
// one; store, journal, hostlink, txn and the ui cannot.
func TestSecretsStayInTheirRooms(t *testing.T) {
	for where, at := range uses(t, list(t, "./..."), "Use") {
		if !slices.ContainsFunc(secretUsers, func(room string) bool { return under(where[:indexSpace(where)], room) }) {
			t.Errorf("%v: %s opens a Secret", at, where)
		}
	}
}

func indexSpace(s string) int {
	for i := range s {
		if s[i] == ' ' {
			return i
		}
	}
	return len(s)
}
