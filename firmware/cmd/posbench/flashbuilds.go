package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/lzma"
	"swipewell/firmware/update/updatesim"
)

// flashBuilds are real builds of posd for arm64, as make cross makes them.
type flashBuilds struct {
	old, version, code []byte // the base; another version string; a function of 20 lines more
	file               string // where code's build lies
	whole              *bundle.Bundle
	deltaVersion       *bundle.Bundle
	deltaCode          *bundle.Bundle
}

// twentyLines are a function and a call of it, as a change between two releases has.
const twentyLines = `package main

import (
	"os"
	"strings"
)

// benchAddition is in a build that posbench flash measures with, and in no other.
func benchAddition(args []string) (n int) {
	for i, a := range args {
		switch {
		case strings.HasPrefix(a, "--"):
			n += 2 * i
		case strings.Contains(a, "="):
			n -= len(a)
		default:
			n ^= i
		}
	}
	return n
}

func init() {
	if int64(benchAddition(os.Args)) == -1<<40 {
		os.Exit(1)
	}
}
`

// moduleRoot is where the sources are; posbench flash is run from a checkout.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("the payload is built with go: %w", err)
	}
	dir := filepath.Dir(strings.TrimSpace(string(out)))
	if _, err := os.Stat(filepath.Join(dir, "firmware", "cmd", "posd")); err != nil {
		return "", fmt.Errorf("run this in a checkout: %w", err)
	}
	return dir, nil
}

// buildPosd builds posd for arm64 into dir.
func buildPosd(ctx context.Context, root, dir, name, version, overlay string) ([]byte, error) {
	extra, err := os.ReadFile(filepath.Join(root, "scripts", "gcflags"))
	if err != nil {
		return nil, err
	}
	out := filepath.Join(dir, name)
	args := append([]string{"build", "-trimpath"}, strings.Fields(string(extra))...)
	args = append(args, "-ldflags", "-s -w -buildid= -X main.version="+version, "-o", out)
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./firmware/cmd/posd")...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w: %s", err, said)
	}
	return os.ReadFile(out)
}

// overlayOf adds a source file to posd.
func overlayOf(root, dir string) (string, error) {
	src := filepath.Join(dir, "addition.go")
	if err := os.WriteFile(src, []byte(twentyLines), 0o600); err != nil {
		return "", err
	}
	b, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "firmware", "cmd", "posd", "addition.go"): src}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, b, 0o600)
}

// makeFlashBuilds builds and packs; say is told of each step.
func makeFlashBuilds(ctx context.Context, dir string, say func(string)) (*flashBuilds, error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return nil, err
	}
	overlay, err := overlayOf(root, dir)
	if err != nil {
		return nil, err
	}
	x := &flashBuilds{file: filepath.Join(dir, "posd-code")}
	for _, b := range []struct {
		to                     *[]byte
		name, version, overlay string
	}{{&x.old, "posd-old", "1.0.0", ""}, {&x.version, "posd-version", "1.0.1", ""}, {&x.code, "posd-code", "1.0.0", overlay}} {
		say("building " + b.name)
		if *b.to, err = buildPosd(ctx, root, dir, b.name, b.version, b.overlay); err != nil {
			return nil, err
		}
	}
	for _, p := range []struct {
		to    **bundle.Bundle
		image []byte
	}{{&x.deltaVersion, x.version}, {&x.deltaCode, x.code}} {
		say("packing a delta and the whole")
		if *p.to, err = updatesim.Make(p.image, bundle.Opts{Version: bundle.Version{Major: 2}, Filter: lzma.ARM64, Bases: [][]byte{x.old}}); err != nil {
			return nil, err
		}
	}
	// The whole of the changed build, as a terminal with another base is sent it.
	whole := *x.deltaCode
	whole.Packed = slices.Clone(whole.Packed)
	for i, l := range whole.Manifest.Payloads {
		if l.Kind == bundle.Delta {
			whole.Packed[i] = nil
		}
	}
	x.whole = &whole
	return x, nil
}
