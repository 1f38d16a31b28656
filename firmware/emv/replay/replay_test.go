package replay

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func load(t *testing.T, path string) *File {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(b)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return f
}

// The transcripts of another kernel, made with keys of its own, and its verdict.
func TestOracle(t *testing.T) {
	paths, _ := filepath.Glob("../testdata/oracle/*.json")
	if len(paths) < 12 {
		t.Fatalf("%d transcripts", len(paths))
	}
	for _, path := range paths {
		f := load(t, path)
		r, err := Run(f)
		if err != nil || !r.Pass {
			t.Errorf("%s: %v %v %v", path, r.Result, r.Errors, err)
		}
		if strings.HasSuffix(path, "gacfmt1.json") {
			// The other kernel calls an unsigned AAC an error of the card; B2 §6.6.2 does not.
			if r.Outcome != 0.0 {
				t.Errorf("%s: %v", path, r.Outcome)
			}
		} else if r.Outcome != f.Expect.Outcome {
			t.Errorf("%s: outcome %v, want %v", path, r.Outcome, f.Expect.Outcome)
		}
	}
}
