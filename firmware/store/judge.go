package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"swipewell/hal"
)

const (
	// judgeMemory bounds the child's address space: the Go runtime's own
	// reservations, the memory map of the file, and what reading it takes.
	judgeMemory = 2 << 30
	// judgeTime bounds how long a file may take; a file of 50,000 sales takes
	// less than a second.
	judgeTime = 20 * time.Second
)

// verdict is what the child prints.
type verdict struct {
	Verdict string `json:"verdict"` // ok, damaged, schema, busy, error
	Why     string `json:"why,omitempty"`
	Have    uint32 `json:"have,omitempty"`
}

// Judge makes an [Opts.Judge] that runs exe with args and the file's path as
// the last one; that program must end in [JudgeMain]. A child that dies, hangs
// or says nothing means that the file is damaged.
func Judge(exe string, args ...string) func(ctx context.Context, path string) error {
	return judgeWith(judgeTime, exe, args...)
}

func judgeWith(limit time.Duration, exe string, args ...string) func(context.Context, string) error {
	return func(ctx context.Context, path string) error {
		// The child runs in real time, whatever a bench's clock does.
		ctx, cancel := hal.WithTimeout(ctx, hal.SystemClock{}, limit)
		defer cancel()
		cmd := exec.CommandContext(ctx, exe, append(append([]string(nil), args...), path)...)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("store: cannot start the judge: %w", err)
		}
		err := cmd.Wait()
		var v verdict
		switch {
		case hal.TimedOut(ctx):
			return damaged("reading it takes longer than %v", limit)
		case ctx.Err() != nil:
			return ctx.Err()
		case json.Unmarshal(out.Bytes(), &v) != nil:
			return damaged("the judge ended with %v: %s", err, firstLine(errs.Bytes()))
		}
		return v.err()
	}
}

func firstLine(b []byte) string {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return string(line[:min(len(line), 200)])
}

func (v verdict) err() error {
	switch v.Verdict {
	case "ok":
		return nil
	case "schema":
		return &SchemaError{Have: v.Have, Want: Schema}
	case "busy":
		return fmt.Errorf("%w: %s", ErrBusy, v.Why)
	case "error":
		return fmt.Errorf("%w: %s", ErrIO, v.Why)
	}
	return damaged("%s", v.Why)
}

// JudgeMain is the child: it limits itself, reads the file at path whole,
// prints one verdict as JSON and returns the exit status, 0 only for a good file.
func JudgeMain(path string) int {
	limits := []struct {
		what int
		max  uint64
	}{
		{unix.RLIMIT_AS, judgeMemory},
		{unix.RLIMIT_CPU, uint64(judgeTime / time.Second)}, // should the parent be gone
		{unix.RLIMIT_CORE, 0},
	}
	for _, l := range limits {
		if err := unix.Setrlimit(l.what, &unix.Rlimit{Cur: l.max, Max: l.max}); err != nil {
			fmt.Fprintln(os.Stderr, "judge: limit:", err)
			return 2
		}
	}
	v := verdict{Verdict: "ok"}
	if err := judgeFile(path); err != nil {
		v = verdictOf(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(v); err != nil || v.Verdict != "ok" {
		return 1
	}
	return 0
}

// judgeFile reads a file whole, without writing to it.
func judgeFile(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return classify(err)
	}
	defer f.Close()
	if _, err := readHeader(f); err != nil {
		return err
	}
	defer recoverDamage(&err)()
	o := boltOptions(500 * time.Millisecond)
	o.ReadOnly = true
	db, err := bolt.Open(path, 0o600, o)
	if err != nil {
		return classify(err)
	}
	defer db.Close()
	return db.View(func(tx *bolt.Tx) error {
		if have, ok := metaSchema(tx); ok && !readable(have) {
			return &SchemaError{Have: have, Want: Schema}
		}
		return checkTx(tx)
	})
}
