// Package firmware_test holds the walls of the house: who may import whom, what
// a pure room may know, and the manners that every package keeps. The rules and
// their reasons stand in one table each; a failure prints the reason.
package firmware_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "swipewell"

type pkg struct {
	ImportPath   string
	Dir          string
	Doc          string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
	Imports      []string
	Deps         []string
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,Doc,GoFiles,TestGoFiles,XTestGoFiles,Imports,Deps"}, args...)...)
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var ps []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
	return ps
}

// rel is the path inside the module: "drivers/msr".
func rel(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, module), "/") }

func under(p, room string) bool { return p == room || strings.HasPrefix(p, room+"/") }

func isSim(p string) bool {
	base := p[strings.LastIndex(p, "/")+1:]
	return strings.HasSuffix(base, "sim") && base != "hostsim" || under(p, "firmware/sim") || base == "haltest"
}

// pure rooms learn of the world only by events.
var pure = []string{"firmware/txn", "firmware/tape", "firmware/throttle", "firmware/signature", "firmware/diagnose", "firmware/care", "firmware/emv", "firmware/pos", "firmware/card", "firmware/iso8583", "ui"}

// impure is what a pure room must not import.
var impure = []string{"os", "net", "net/http", "math/rand", "math/rand/v2", "crypto/rand", "os/exec", "syscall", "golang.org/x/sys/unix", "go.etcd.io/bbolt"}

// element is the cryptography that a secure element has inside: pure, over hal's
// values only. drivers/softkeys, which stands for one, may use it.
const element = "firmware/keys/"

func isPure(p string) bool {
	return strings.HasPrefix(p, element) || p == "firmware/role/challenge" || slices.ContainsFunc(pure, func(room string) bool { return under(p, room) })
}

// may tells whether p may import q, both inside the module, and if not, why.
func may(p, q string) (string, bool) {
	switch {
	case isSim(q) && !isSim(p) && p != "firmware/cmd/posbench" && !under(p, "firmware/cmd/posbench") && p != "firmware/cmd/hostsim":
		return "simulators belong to posbench, hostsim and tests: the device links none of them", false
	case under(p, "firmware/sim/card") && under(q, "firmware/emv"), under(p, "firmware/emv") && under(q, "firmware/sim"):
		return "the simulated card and the kernel share nothing: they must not be wrong together", false
	case p == "firmware/cmd/init":
		return "the first program of the image knows its plan, and nothing that could break it", under(q, "hal") || q == "firmware/image/plan"
	case p == "firmware/image/plan":
		return "a plan is plain values: both the desk and the first program read it", false
	case under(q, "firmware/image") && q != "firmware/image/plan" && p != "firmware/cmd/posbench" && !under(p, "firmware/sim"):
		return "images are built at the desk", false
	case under(p, "hal"):
		return "hal knows nobody", under(q, "hal")
	case strings.HasPrefix(p, element):
		return "the element's cryptography knows hal and itself", under(q, "hal") || strings.HasPrefix(q, element)
	case p == "drivers/softkeys" && strings.HasPrefix(q, element):
		return "", true // the algorithms that a real element has in silicon
	case under(p, "drivers"):
		ok := under(q, "hal") || q == "drivers/tty" || p == "drivers/hayes" && q == "drivers/at"
		// A T=0 card's 61xx and 6Cxx are the same behind every kind of reader.
		ok = ok || (p == "drivers/pcsc" || p == "drivers/vpcd") && q == "drivers/iso7816"
		if isSim(p) {
			ok = ok || under(q, "drivers") // a peer speaks its driver's format
		}
		return "a driver knows hal and drivers/tty", ok || p == q
	case under(p, "ui"):
		return "ui knows hal and ui", under(q, "hal") || under(q, "ui")
	case under(q, "drivers"):
		return "only firmware/board, firmware/cmd and firmware/sim know drivers", p == "firmware/board" || under(p, "firmware/cmd") || under(p, "firmware/sim")
	}
	for _, room := range pure {
		if !under(p, room) {
			continue
		}
		ok := slices.ContainsFunc(pure, func(r string) bool { return under(q, r) }) && !under(q, "ui") || q == "ui/prompt" || q == "hal" && room == "firmware/card"
		if under(q, "firmware/card") && room != "firmware/card" && room != "firmware/emv" {
			return "only card, emv, hostlink, keys and terminal may name a PAN", false
		}
		return "a pure room knows pure rooms and ui/prompt", ok
	}
	if p == "firmware/store" || p == "firmware/hostlink" || p == "firmware/keys" {
		for _, other := range []string{"firmware/store", "firmware/hostlink", "firmware/keys", "ui/screen", "ui/text", "ui/receipt", "firmware/terminal"} {
			if q == other && q != p {
				return "store, hostlink and keys meet over small interfaces, not by import", false
			}
		}
	}
	if p == "firmware/board" && (q == "firmware/txn" || q == "firmware/store" || under(q, "ui")) {
		return "board opens devices; it knows neither money nor screens", false
	}
	if under(q, "firmware/cmd") {
		return "a command is not a library", under(q, p)
	}
	return "", true
}

func TestWalls(t *testing.T) {
	for _, p := range list(t, "./...") {
		from := rel(p.ImportPath)
		for _, imp := range p.Imports {
			if imp == "github.com/tarm/serial" && from != "drivers/tty" {
				t.Errorf("%s imports tarm/serial: only drivers/tty may, it has seven traps", from)
			}
			if strings.HasPrefix(imp, "github.com/moov-io") {
				t.Errorf("%s imports moov: an oracle in tests, never in a binary", from)
			}
			if !under(imp, module) {
				if isPure(from) && slices.Contains(impure, imp) && !strings.Contains(from, "/gen") {
					t.Errorf("%s imports %s: a pure room has no I/O, no randomness", from, imp)
				}
				continue
			}
			if why, ok := may(from, rel(imp)); !ok {
				t.Errorf("%s imports %s: %s", from, rel(imp), why)
			}
		}
	}
}

// The walls catch what they are for: each row is an import that must fail.
func TestWallsCatchLeaks(t *testing.T) {
	for _, leak := range [][2]string{
		{"hal", "drivers/tty"}, {"drivers/msr", "firmware/pos"}, {"drivers/msr", "drivers/at"}, {"ui/screen", "firmware/pos"},
		{"firmware/txn", "firmware/card"}, {"firmware/txn", "hal"}, {"firmware/terminal", "drivers/at"}, {"firmware/store", "firmware/keys"},
		{"firmware/board", "firmware/txn"}, {"firmware/cmd/posd", "firmware/sim/acquirer"}, {"firmware/terminal", "drivers/at/modemsim"},
		{"drivers/msr", "firmware/keys/key"}, {"drivers/iso7816", "drivers/pcsc"}, {"drivers/pcsc", "drivers/vpcd"}, {"drivers/iso7816", "firmware/emv"}, {"firmware/board", "drivers/iso7816/cardsim"}, {"drivers/softkeys", "firmware/keys"}, {"drivers/softkeys", "firmware/card"}, {"firmware/keys/dukpt", "firmware/card"}, {"hal", "firmware/keys/key"},
		{"firmware/cmd/init", "firmware/board"}, {"firmware/cmd/init", "firmware/image"}, {"firmware/image/plan", "firmware/update"}, {"firmware/cmd/posd", "firmware/image"}, {"firmware/image", "firmware/sim/qemu"},
		{"firmware/emv", "hal"}, {"firmware/emv", "firmware/keys"}, {"firmware/emv/replay", "firmware/sim/card"}, {"firmware/sim/card", "firmware/emv/tlv"}, {"firmware/txn", "drivers/iso7816"},
	} {
		if _, ok := may(leak[0], leak[1]); ok {
			t.Errorf("%s may import %s, and must not", leak[0], leak[1])
		}
	}
}

// TestPosdLinksNoSimulator: what runs on a device holds nothing of the bench's world.
func TestPosdLinksNoSimulator(t *testing.T) {
	for _, cmd := range []string{"./firmware/cmd/posd", "./firmware/cmd/postool", "./firmware/cmd/init"} {
		for _, p := range list(t, cmd) {
			for _, dep := range p.Deps {
				if under(dep, module) && isSim(rel(dep)) {
					t.Errorf("%s links %s", cmd, dep)
				}
			}
		}
	}
}

// forbidden calls: time comes from hal.Clock, so that a bench can run an hour in a moment.
var forbidden = map[string][]string{
	"time":    {"Now", "After", "NewTimer", "NewTicker", "Tick", "Sleep", "AfterFunc", "Since", "Until"},
	"context": {"WithTimeout", "WithDeadline"},
}

func TestTimeComesFromTheClock(t *testing.T) {
	for _, p := range list(t, "./...") {
		from := rel(p.ImportPath)
		if from == "hal" || under(from, "firmware/cmd") || strings.HasSuffix(from, "/gen") {
			continue
		}
		eachFile(t, p, p.GoFiles, func(name string, f *ast.File, fs *token.FileSet) {
			ast.Inspect(f, func(n ast.Node) bool {
				if g, ok := n.(*ast.GoStmt); ok && isPure(from) {
					t.Errorf("%v: a goroutine in a pure room", fs.Position(g.Pos()))
				}
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				id, ok := sel.X.(*ast.Ident)
				if ok && id.Obj == nil && slices.Contains(forbidden[id.Name], sel.Sel.Name) {
					t.Errorf("%v: %s.%s: take a hal.Clock", fs.Position(sel.Pos()), id.Name, sel.Sel.Name)
				}
				return true
			})
		})
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range list(t, "./...") {
		if len(p.GoFiles) > 0 && strings.TrimSpace(p.Doc) == "" {
			t.Errorf("%s has no package comment", rel(p.ImportPath))
		}
	}
}

// maxLines of a file: split by noun, not by number.
const maxLines = 600

func TestFilesStaySmall(t *testing.T) {
	for _, p := range list(t, "./...") {
		for _, name := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
			b, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(b), "\n"); n > maxLines && !strings.Contains(string(b[:min(len(b), 200)]), "DO NOT EDIT") {
				t.Errorf("%s/%s has %d lines, over %d", rel(p.ImportPath), name, n, maxLines)
			}
		}
	}
}

// TestTopLevel: exactly the owner's names, and what tools look for at the root.
func TestTopLevel(t *testing.T) {
	want := []string{"CHANGELOG.md", "LICENSE", "Makefile", "README.md", "drivers", "firmware", "go.mod", "go.sum", "hal", "scripts", "ui"}
	out, err := exec.Command("git", "-C", "..", "ls-files").Output()
	if err != nil {
		t.Skip("needs git")
	}
	seen := map[string]bool{}
	for _, f := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		top, _, _ := strings.Cut(f, "/")
		if !strings.HasPrefix(top, ".") && top != "" {
			seen[top] = true
		}
	}
	for top := range seen {
		if !slices.Contains(want, top) {
			t.Errorf("%s does not belong at the top level", top)
		}
	}
}

func eachFile(t *testing.T, p pkg, names []string, f func(string, *ast.File, *token.FileSet)) {
	t.Helper()
	for _, name := range names {
		fs := token.NewFileSet()
		file, err := parser.ParseFile(fs, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		f(name, file, fs)
	}
}
