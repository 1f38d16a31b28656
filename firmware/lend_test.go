package firmware_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// borrowers are the files that borrow the bytes of a hal.Secret or of a key, and what
// for. A PIN of a sale goes from its pad into drivers/softkeys and is borrowed there
// only: whoever else wants bytes of a secret must come here first.
var borrowers = map[string]string{
	"drivers/softkeys/file.go":       "keys into their file",
	"drivers/softkeys/inject.go":     "a custodian's part into its key",
	"drivers/softkeys/use.go":        "a PIN into its block; the key of an HMAC",
	"firmware/card/track.go":         "a track is parsed",
	"firmware/keys/cardpin.go":       "a PIN into the command that the card verifies",
	"firmware/keys/dukpt/working.go": "keys are derived",
	"firmware/keys/key/check.go":     "check values",
	"firmware/keys/key/component.go": "parts are joined",
	"firmware/keys/key/key.go":       "keys are made of bytes, and compared",
	"firmware/keys/tr31/unwrap.go":   "key blocks are opened",
	"firmware/terminal/chip.go":      "a command that carries a PIN goes to the card",
	"firmware/terminal/hidden.go":    "a PIN of the staff is checked; a token is told",
}

func TestWhoBorrowsSecrets(t *testing.T) {
	seen := map[string]bool{}
	for _, dir := range []string{"../drivers", "../firmware", "../hal", "../ui"} {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "haltest") {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) != 1 {
					return true
				}
				if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Use" {
					name := filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))
					if seen[name] = true; borrowers[name] == "" {
						t.Errorf("%s borrows the bytes of a secret, and is not on the list", name)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name := range borrowers {
		if !seen[name] {
			t.Errorf("%s is on the list and borrows nothing", name)
		}
	}
}
