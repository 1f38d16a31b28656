package store

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// Judges is a process that starts judges for one that may start none: that one
// has closed its jail behind itself, and this one holds no keys, no devices and no
// network. They talk in lines: a path there, a verdict as JSON back.
type Judges struct {
	mu   sync.Mutex // one judgement at a time
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	gone chan struct{}
}

// ErrJudges says that the judges' process has ended.
var ErrJudges = errors.New("store: the judges are gone")

// StartJudges starts it: exe with args, a program that ends in [JudgesMain].
func StartJudges(exe string, args ...string) (*Judges, error) {
	j := &Judges{cmd: exec.Command(exe, args...), gone: make(chan struct{})}
	var err error
	if j.in, err = j.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("store: judges: %w", err)
	}
	out, err := j.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("store: judges: %w", err)
	}
	j.out = bufio.NewReader(out)
	if err := j.cmd.Start(); err != nil {
		return nil, fmt.Errorf("store: judges: %w", err)
	}
	if line, err := j.out.ReadString('\n'); err != nil || line != "ready\n" {
		j.in.Close()
		j.cmd.Wait()
		return nil, fmt.Errorf("%w: %q", ErrJudges, strings.TrimSpace(line))
	}
	return j, nil
}

// Close ends the process.
func (j *Judges) Close() error {
	j.in.Close()
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.cmd.Wait()
}

// Gone is closed once the process was found to have ended by itself.
func (j *Judges) Gone() <-chan struct{} { return j.gone }

// Judge is an [Opts.Judge]. A judgement that has begun is waited for, whatever
// ctx does: it ends by its own limits.
func (j *Judges) Judge(ctx context.Context, path string) error {
	if strings.ContainsAny(path, "\n\r") {
		return fmt.Errorf("%w: a path with a line end", ErrIO)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := io.WriteString(j.in, path+"\n")
	var line []byte
	if err == nil {
		line, err = j.out.ReadBytes('\n')
	}
	var v verdict
	if err == nil {
		err = json.Unmarshal(line, &v)
	}
	if err != nil {
		select {
		case <-j.gone:
		default:
			close(j.gone)
		}
		return fmt.Errorf("%w: %w", ErrJudges, err)
	}
	return v.err()
}

// JudgesMain is the process: lock is called once it is ready to be jailed; then
// it starts exe with args and the path for each line of in, until in ends. It
// returns the exit status.
func JudgesMain(in io.Reader, out io.Writer, lock func(), exe string, args ...string) int {
	lock()
	fmt.Fprintln(out, "ready")
	enc := json.NewEncoder(out)
	for sc := bufio.NewScanner(in); sc.Scan(); {
		var v verdict
		switch err := Judge(exe, args...)(context.Background(), sc.Text()); {
		case err == nil:
			v.Verdict = "ok"
		default:
			v = verdictOf(err)
		}
		if err := enc.Encode(v); err != nil {
			fmt.Fprintln(os.Stderr, "judges:", err)
			return 1
		}
	}
	return 0
}

// verdictOf is an error as a verdict, for the way through a pipe.
func verdictOf(err error) verdict {
	var schema *SchemaError
	switch {
	case errors.As(err, &schema):
		return verdict{Verdict: "schema", Have: schema.Have}
	case errors.Is(err, ErrDamaged):
		return verdict{Verdict: "damaged", Why: err.Error()}
	case errors.Is(err, ErrBusy):
		return verdict{Verdict: "busy", Why: err.Error()}
	}
	return verdict{Verdict: "error", Why: err.Error()}
}
