// Command mutants proves that the tests can fail: it applies one seeded bug at
// a time (mutants.toml) and runs the tests that must find it. A bug that none of
// them finds is a survivor, and fails the run.
//
// Sources:
//   - OVERLAY: go help build, -overlay: a build that reads another file in one's place
//
// The bugs are overlays and not build tags: the code that ships has no second
// version of itself in it.
package main

import (
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

//go:embed mutants.toml
var list string

type mutant struct {
	Name, File, Old, New, Test string
}

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run() error {
	only := flag.String("only", "", "a regular expression on names and files: which of them")
	flag.Parse()
	var all struct{ Mutant []mutant }
	if _, err := toml.Decode(list, &all); err != nil {
		return err
	}
	pick, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	all.Mutant = slices.DeleteFunc(all.Mutant, func(m mutant) bool { return !pick.MatchString(m.Name + " " + m.File) })
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var survivors []string
	for i, m := range all.Mutant {
		began := time.Now()
		fmt.Fprintf(os.Stderr, "%d of %d: %s\n", i+1, len(all.Mutant), m.Name)
		by, err := try(m, dir)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", m.Name, err)
		case by == "":
			survivors = append(survivors, m.Name)
			by = "SURVIVES"
		}
		fmt.Printf("%-55s %-40s %5.1f s\n", m.Name, by, time.Since(began).Seconds())
	}
	fmt.Printf("mutants %d found %d survivors %d\n", len(all.Mutant), len(all.Mutant)-len(survivors), len(survivors))
	if len(survivors) > 0 {
		return fmt.Errorf("no test found: %s", strings.Join(survivors, "; "))
	}
	return nil
}

// try is the name of the test that found the bug, "" if none did.
func try(m mutant, dir string) (string, error) {
	src, err := os.ReadFile(m.File)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(src), m.Old); n != 1 {
		return "", fmt.Errorf("its place is in %s %d times", m.File, n)
	}
	path := filepath.Join(dir, "mutant.go")
	if err := os.WriteFile(path, []byte(strings.Replace(string(src), m.Old, m.New, 1)), 0o600); err != nil {
		return "", err
	}
	abs, err := filepath.Abs(m.File)
	if err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {abs: path}})
	if err != nil {
		return "", err
	}
	spec := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(spec, overlay, 0o600); err != nil {
		return "", err
	}
	cmd := exec.Command("go", append([]string{"test", "-v", "-vet=off", "-timeout", "120s"}, strings.Fields(m.Test)...)...)
	cmd.Env = append(os.Environ(), "GOFLAGS=-overlay="+spec) // a test that builds posd builds the bug in
	out, err := cmd.CombinedOutput()
	if err == nil && strings.Contains(string(out), "kernel: ") && !strings.Contains(string(out), "--- PASS") {
		return "not run: this kernel has not what its test needs", nil
	}
	if err == nil {
		return "", nil
	}
	if strings.Contains(string(out), "[build failed]") || strings.Contains(string(out), "[setup failed]") {
		return "", fmt.Errorf("does not build:\n%s", out)
	}
	if hit := failed.FindStringSubmatch(string(out)); hit != nil {
		return hit[1], nil
	}
	return "panic or time-out", nil
}
