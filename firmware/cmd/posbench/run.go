package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"swipewell/drivers/pcsc/pcscsim"
	"swipewell/firmware/image"
	"swipewell/firmware/pos"
	"swipewell/firmware/sim/world"
)

func runCommand() *cobra.Command {
	var s shared
	var asJSON, keep, verbose bool
	c := &cobra.Command{Use: "run FILE…", Short: "play scripts against the real posd", Args: cobra.MinimumNArgs(1)}
	s.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a script")
	c.Flags().BoolVar(&keep, "keep", false, "keep each script's folder")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "show the log of a passing script, too")
	c.RunE = func(cmd *cobra.Command, files []string) error {
		failed := 0
		for i, f := range files {
			r := play(cmd.Context(), s, f, keep)
			if !r.OK {
				failed++
			}
			report(r, asJSON, verbose)
			if cmd.Context().Err() != nil {
				return cmd.Context().Err()
			}
			if len(files) > 5 && (i+1)%5 == 0 {
				fmt.Fprintf(os.Stderr, "%d of %d scripts, %d failed\n", i+1, len(files), failed)
			}
		}
		if !asJSON {
			fmt.Printf("%d passed, %d failed\n", len(files)-failed, failed)
		}
		if failed > 0 {
			return errFailed
		}
		return nil
	}
	return c
}

// result of one script. Double, Lost and Open are -1 where they could not be
// had, such as after the power was cut for good.
type result struct {
	Script string `json:"script"`
	OK     bool   `json:"ok"`
	Line   int    `json:"line"` // where it failed; 0 if it did not
	Error  string `json:"error"`
	MS     int64  `json:"ms"`
	Double int    `json:"double"`
	Lost   int    `json:"lost"`
	Open   int    `json:"open"`
	log    string
	codes  []string // shown on the screen
}

func report(r result, asJSON, verbose bool) {
	if asJSON {
		b, _ := json.Marshal(r)
		fmt.Println(string(b))
		return
	}
	fmt.Print(reported(r, verbose))
}

// reported is what people are told of a script.
func reported(r result, verbose bool) string {
	word := "ok  "
	if !r.OK {
		word = "FAIL"
	}
	s := fmt.Sprintf("%s %-44s %6d ms  double %d lost %d open %d\n", word, r.Script, r.MS, r.Double, r.Lost, r.Open)
	if !r.OK || verbose {
		s += indent(r.log) + "\n"
	}
	if !r.OK {
		s += fmt.Sprintf("     line %d: %s\n", r.Line, r.Error)
	}
	return s
}

func indent(s string) string {
	return "     " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n     ")
}

// runner is a testscript.T that keeps what a script says.
type runner struct {
	log  strings.Builder
	fail bool
	skip string
}

// entries are the script's lines that key what is secret: a PIN, and any four
// digits that are keyed one after another; and fields of a card.
var entries = regexp.MustCompile(`(?m)^(?:> |FAIL: \S+ )?!? ?(pin [0-9]+|key .*[0-9]( +[0-9]){3}.*|card .*|host .*pin-change .*)$`)

var runOfDigits = regexp.MustCompile(`[0-9]`)

// quiet is a script's log without the digits that it keyed.
func quiet(log string) string {
	return entries.ReplaceAllStringFunc(log, func(line string) string { return runOfDigits.ReplaceAllString(line, "*") })
}

type stopRun struct{}

func (r *runner) Skip(a ...any) { r.skip = fmt.Sprint(a...); panic(stopRun{}) }
func (r *runner) Fatal(a ...any) {
	r.Log(a...)
	r.FailNow()
}
func (r *runner) Parallel()     {}
func (r *runner) Log(a ...any)  { fmt.Fprintln(&r.log, a...) }
func (r *runner) FailNow()      { r.fail = true; panic(stopRun{}) }
func (r *runner) Verbose() bool { return true }
func (r *runner) Run(_ string, f func(t testscript.T)) {
	defer func() {
		if e := recover(); e != nil {
			if _, ok := e.(stopRun); !ok {
				panic(e)
			}
		}
	}()
	f(r)
}

var failLine = regexp.MustCompile(`(?m)^FAIL: [^:\n]*:(\d+): (.*)$`)

// play runs one script in a world of its own.
func play(ctx context.Context, s shared, file string, keep bool) (r result) {
	began := time.Now()
	r = result{Script: filepath.Base(file), Double: -1, Lost: -1, Open: -1}
	defer func() { r.MS = time.Since(began).Milliseconds() }()
	fail := func(err error) result {
		r.Error = err.Error()
		return r
	}
	if _, err := os.Stat(file); err != nil {
		return fail(err)
	}
	dir, err := os.MkdirTemp("", "posbench-")
	if err != nil {
		return fail(err)
	}
	if keep {
		fmt.Fprintln(os.Stderr, r.Script, "in", dir)
	} else {
		defer os.RemoveAll(dir)
	}
	o, err := s.opts(filepath.Join(dir, "w"))
	if err != nil {
		return fail(err)
	}
	w, err := world.New(o)
	if err != nil {
		return fail(err)
	}
	defer w.Close()
	t := &runner{}
	work := filepath.Join(dir, "script")
	if err := os.Mkdir(work, 0o700); err != nil {
		return fail(err)
	}
	t.Run(r.Script, func(t2 testscript.T) {
		testscript.RunT(t2, testscript.Params{Files: []string{file}, WorkdirRoot: work, Cmds: commands(ctx, w), Condition: condition, TestWork: keep, Setup: func(env *testscript.Env) error {
			env.Setenv("DEVICE", filepath.Dir(w.Socket())) // the device's data, for scripts that damage it
			env.Setenv("CASES", os.Getenv("CASES"))        // where make cases wants exports
			env.Setenv("DESK", w.DeskDir())                // the private keys of people and of the acquirer
			env.Setenv("SERVICE", w.ServicePath())         // the technician's end of the cable, with board slots
			env.Setenv("POSD", o.Posd)                     // the build in slot A, with board slots
			env.Setenv("POSTOOL", o.Tool)
			env.Setenv("SMPMGR", smpmgr())
			if s.qemu != "" { // the slot that the machine left the factory with, the build after it, and one that must not stay
				env.Setenv("SLOT", filepath.Join(s.qemu, image.SlotFile))
				env.Setenv("NEXT", filepath.Join(s.qemu+nextSuffix, image.SlotFile))
				env.Setenv("BAD", filepath.Join(s.qemu+badSuffix, image.SlotFile))
			}
			return nil
		}})
	})
	r.log = quiet(t.log.String())
	r.OK = !t.fail
	if m := failLine.FindStringSubmatch(r.log); m != nil {
		r.Line, _ = strconv.Atoi(m[1])
		r.Error = m[2]
	} else if t.fail {
		r.Error = "failed"
	}
	if r.Double, err = w.Double(); err != nil {
		r.Double = -1
	}
	if w.Running() {
		if r.Open, err = w.Open(ctx); err != nil {
			r.Open = -1
		}
		lost, err := w.Lost(ctx, time.Second)
		if r.Lost = len(lost); err != nil {
			r.Lost = -1
		}
	} else {
		r.Open, r.Lost = -1, -1 // only a running device can tell
	}
	r.codes = w.Codes()
	for _, f := range w.Findings() {
		r.log += "host finding: " + f + "\n"
	}
	if f := w.Faults(); r.OK && len(f) > 0 {
		r.OK, r.Error = false, "the acquirer found: "+strings.Join(f, "; ")
	}
	return r
}

// condition is what a script may ask of this machine, in brackets: [pcscd].
func condition(name string) (bool, error) {
	if name == "pcscd" {
		return pcscsim.Missing() == "", nil
	}
	if name == "smpmgr" {
		return smpmgr() != "", nil
	}
	return false, fmt.Errorf("no such condition: %s", name)
}

type script = testscript.TestScript

// commands is the language: what acts comes from the world, what checks is here.
func commands(ctx context.Context, w *world.World) map[string]func(*script, bool, []string) {
	cmds := map[string]func(*script, bool, []string){}
	for _, name := range world.Commands() {
		cmds[name] = func(ts *script, neg bool, args []string) {
			err := w.Do(ctx, name, args...)
			must(ts, neg, name, err)
		}
	}
	check := func(name string, parse func(args []string) (world.Check, error)) {
		cmds[name] = func(ts *script, neg bool, args []string) {
			args, limit, err := forFlag(args, 5*time.Second)
			if err == nil {
				var c world.Check
				if c, err = parse(args); err == nil {
					err = w.Hold(ctx, limit, neg, c)
				}
			}
			if err != nil {
				ts.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
			}
		}
	}
	pattern := func(f func(*regexp.Regexp) world.Check) func([]string) (world.Check, error) {
		return func(args []string) (world.Check, error) {
			if len(args) != 1 {
				return nil, errors.New("one pattern is wanted")
			}
			re, err := regexp.Compile("(?m)" + args[0])
			if err != nil {
				return nil, err
			}
			return f(re), nil
		}
	}
	check("screen", pattern(w.Screen))
	check("paper", pattern(w.PaperHas))
	check("log", pattern(w.LogHas))
	check("prompt", func(args []string) (world.Check, error) {
		if len(args) != 1 {
			return nil, errors.New("prompt CODE")
		}
		return w.Prompt(args[0]), nil
	})
	check("lamp", func(args []string) (world.Check, error) {
		if len(args) != 2 {
			return nil, errors.New("lamp NAME off|on|blink")
		}
		return w.Lamp(args[0], args[1]), nil
	})
	check("batch", func(args []string) (world.Check, error) {
		if len(args) < 1 || len(args) > 2 {
			return nil, errors.New("batch N [AMOUNT]")
		}
		n, err := strconv.Atoi(args[0])
		if err != nil {
			return nil, err
		}
		var sum *pos.Amount
		if len(args) == 2 {
			a, err := pos.ParseAmount(args[1])
			if err != nil {
				return nil, err
			}
			sum = &a
		}
		return w.BatchIs(n, sum), nil
	})
	check("outbox", func(args []string) (world.Check, error) {
		if len(args) != 1 {
			return nil, errors.New("outbox N")
		}
		n, err := strconv.Atoi(args[0])
		return w.OutboxIs(n), err
	})
	check("host sees", func(args []string) (world.Check, error) {
		n := 1
		if len(args) == 2 {
			var err error
			if n, err = strconv.Atoi(args[1]); err != nil {
				return nil, err
			}
		} else if len(args) != 1 {
			return nil, errors.New("host sees MTI [N]")
		}
		return w.HostSees(args[0], n), nil
	})
	sees := cmds["host sees"]
	delete(cmds, "host sees")
	cmds["host"] = func(ts *script, neg bool, args []string) {
		for i := range args {
			if args[i] == "sees" && i <= 1 {
				sees(ts, neg, args[i+1:])
				return
			}
		}
		out, err := w.Ask(args...)
		fmt.Fprint(ts.Stdout(), out)
		must(ts, neg, "host", err)
	}
	cmds["rules"] = func(ts *script, neg bool, args []string) {
		for i, a := range args { // a file is one of the script's own folder
			if k, v, ok := strings.Cut(a, "="); ok && (k == "file" || k == "merchant") {
				args[i] = k + "=" + ts.MkAbs(v)
			}
		}
		must(ts, neg, "rules", w.Do(ctx, "rules", args...))
	}
	cmds["ledger"] = func(ts *script, neg bool, args []string) { ledger(ctx, ts, w, neg, args) }
	cmds["snapshot"] = func(ts *script, neg bool, args []string) {
		if len(args) != 1 {
			ts.Fatalf("snapshot FILE.png")
		}
		must(ts, neg, "snapshot", w.Snapshot(ts.MkAbs(args[0])))
	}
	cmds["service"] = func(ts *script, neg bool, args []string) {
		text := strings.Join(args, " ")
		if name, ok := strings.CutPrefix(text, "@"); ok { // the last line of a file
			lines := strings.Split(strings.TrimSpace(ts.ReadFile(name)), "\n")
			text = lines[len(lines)-1]
		}
		out, err := w.Service(ctx, text)
		fmt.Fprint(ts.Stdout(), out)
		must(ts, neg, "service", err)
	}
	cmds["postool"] = func(ts *script, neg bool, args []string) {
		out, err := w.Postool(ctx, args...)
		fmt.Fprint(ts.Stdout(), out)
		if err != nil && !neg {
			ts.Logf("%s", out)
		}
		must(ts, neg, "postool", err)
	}
	return cmds
}

// must fails the script unless err is as wanted.
func must(ts *script, neg bool, name string, err error) {
	switch {
	case err != nil && !neg:
		ts.Fatalf("%s: %v", name, err)
	case err == nil && neg:
		ts.Fatalf("%s: worked, and must not", name)
	}
}

// forFlag takes "-for D" out of the arguments, wherever it stands.
func forFlag(args []string, d time.Duration) ([]string, time.Duration, error) {
	var rest []string
	for i := 0; i < len(args); i++ {
		if args[i] != "-for" {
			rest = append(rest, args[i])
			continue
		}
		if i+1 == len(args) {
			return args, d, errors.New("-for needs a duration")
		}
		v, err := time.ParseDuration(args[i+1])
		if err != nil {
			return args, d, fmt.Errorf("-for %s: not a duration", args[i+1])
		}
		d = v
		i++
	}
	return rest, d, nil
}

func ledger(ctx context.Context, ts *script, w *world.World, neg bool, args []string) {
	args, limit, err := forFlag(args, time.Minute)
	if err != nil || len(args) != 2 {
		ts.Fatalf("ledger double|lost|open N")
	}
	want, err := strconv.Atoi(args[1])
	if err != nil {
		ts.Fatalf("ledger %s: %v", args[0], err)
	}
	var have int
	var lost []string
	switch args[0] {
	case "double":
		have, err = w.Double()
	case "lost":
		lost, err = w.Lost(ctx, limit)
		have = len(lost)
	case "open":
		have, err = w.Open(ctx)
	default:
		ts.Fatalf("ledger double|lost|open N")
	}
	if err != nil {
		ts.Fatalf("ledger %s: %v", args[0], err)
	}
	if (have == want) == neg {
		if len(lost) > 0 {
			ts.Logf("lost: %s", strings.Join(lost, "\nlost: "))
		}
		ts.Fatalf("ledger %s: there are %d, not %d", args[0], have, want)
	}
}
