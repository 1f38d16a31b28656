package main

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"swipewell/firmware/sim/world"
	"swipewell/ui/prompt"
)

var update = flag.Bool("update", false, "write testdata/unscripted.txt anew; commit it only if you understand what changed")

// built holds the real posd and postool for the tests of this package.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "posbench-test-")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", dir+"/", "swipewell/firmware/cmd/posd", "swipewell/firmware/cmd/postool")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", &buildError{string(out)}
	}
	return dir, nil
})

type buildError struct{ out string }

func (e *buildError) Error() string { return "building posd: " + e.out }

func TestMain(m *testing.M) {
	flag.Parse()
	// What a busy disk does to a device is a matter of its own: a commit that takes
	// half a second is a fault that the device speaks of.
	if dir, err := os.MkdirTemp("/dev/shm", "posbench-"); err == nil {
		os.Chmod(dir, 0o755) // a device that is another user comes by here
		os.Setenv("TMPDIR", dir)
	}
	// Scripts mostly wait, as people do: more of them at a time than processors.
	flag.Set("test.parallel", strconv.Itoa(max(4, runtime.NumCPU())))
	code := m.Run()
	if dir, err := built(); err == nil {
		os.RemoveAll(dir)
	}
	if dir := os.Getenv("TMPDIR"); strings.HasPrefix(dir, "/dev/shm/posbench-") {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

func real(t *testing.T) shared {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return shared{posd: filepath.Join(dir, "posd"), tool: filepath.Join(dir, "postool"), lang: "zh", size: "320x240"}
}

// shownCodes collects what every script of this run showed.
var shownCodes struct {
	sync.Mutex
	m map[string]bool
}

// TestScripts plays every script against the real posd.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	t.Run("all", func(t *testing.T) {
		for _, f := range files {
			t.Run(strings.TrimSuffix(filepath.Base(f), ".txtar"), func(t *testing.T) {
				t.Parallel()
				r := play(t.Context(), real(t), f, false)
				if !r.OK {
					t.Errorf("line %d: %s\n%s", r.Line, r.Error, r.log)
				}
				shownCodes.Lock()
				defer shownCodes.Unlock()
				if shownCodes.m == nil {
					shownCodes.m = map[string]bool{}
				}
				for _, c := range r.codes {
					shownCodes.m[c] = true
				}
			})
		}
	})
	t.Run("codes", func(t *testing.T) { checkCodes(t, files) })
}

var codeRE = regexp.MustCompile(`[A-Z]-[A-Z]{3}-[0-9A-Z]{2}`)

// checkCodes lists the codes that no script shows nor names. The list is kept
// beside the scripts, so that a new code must get a script or be put there on
// purpose.
func checkCodes(t *testing.T, files []string) {
	named := map[string]bool{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range codeRE.FindAllString(string(b), -1) {
			named[c] = true
		}
	}
	var without []string
	for _, e := range prompt.All() {
		c := string(e.Code)
		if !named[c] && !shownCodes.m[c] && !strings.HasPrefix(c, "E-") && !strings.HasPrefix(c, "M-") {
			without = append(without, c)
		}
	}
	slices.Sort(without)
	have := strings.Join(without, "\n") + "\n"
	const list = "testdata/unscripted.txt"
	if *update {
		if err := os.WriteFile(list, []byte(have), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, _ := os.ReadFile(list)
	known := strings.Fields(string(b))
	for _, c := range without {
		if !slices.Contains(known, c) {
			t.Errorf("%s has no script that shows it", c)
		}
	}
	t.Logf("%d of %d codes without a script of their own", len(without), len(prompt.All()))
}

// A script that fails says so, with its line.
func TestAFailingScriptFails(t *testing.T) {
	f := filepath.Join(t.TempDir(), "bad.txtar")
	os.WriteFile(f, []byte("start\nscreen -for 100ms 'no such words'\n"), 0o644)
	r := play(t.Context(), real(t), f, false)
	if r.OK || r.Line != 2 || !strings.Contains(r.Error, "no such words") {
		t.Errorf("ok %v line %d error %q", r.OK, r.Line, r.Error)
	}
	for _, script := range []string{
		"start\namount 12.80\nswipe cup-debit-1\nscreen '交易成功' -for 10s\nbatch 2 -for 200ms\n",
		"start\namount 12.80\nswipe cup-debit-1\nscreen '交易成功' -for 10s\n! host sees 0200\n",
		"start\npower cut\nledger lost 0\n",
		"swipe no-such-card\n",
		"line sideways\n",
	} {
		os.WriteFile(f, []byte(script), 0o644)
		if r := play(t.Context(), real(t), f, false); r.OK {
			t.Errorf("passed, and must not:\n%s", script)
		}
	}
}

func TestCrash(t *testing.T) {
	o, err := ptr(real(t)).opts(filepath.Join(t.TempDir(), "w"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := crash(context.Background(), o, 20, 1, func(int, int, time.Time) {})
	if err != nil {
		t.Fatal(err)
	}
	if r.double+r.lost+r.open != 0 || r.kills != 20 {
		t.Errorf("%+v", r)
	}
}

func ptr[T any](v T) *T { return &v }

// Every size and language comes up with its first screen.
func TestSizesAndLanguages(t *testing.T) {
	for _, size := range []string{"320x240", "128x64"} {
		for lang, want := range map[string]string{"zh": "请输入金额", "en": "ENTER AMOUNT"} {
			s := real(t)
			s.size, s.lang = size, lang
			o, err := s.opts(filepath.Join(t.TempDir(), "w"))
			if err != nil {
				t.Fatal(err)
			}
			w, err := world.New(o)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Start(t.Context()); err != nil {
				t.Error(err)
			}
			if err := w.Hold(t.Context(), 5*time.Second, false, w.Screen(regexp.MustCompile(want))); err != nil {
				t.Errorf("%s %s: %v", size, lang, err)
			}
			w.Close()
		}
	}
}
