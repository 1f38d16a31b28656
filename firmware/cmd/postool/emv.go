package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"swipewell/firmware/emv/replay"
)

// maxTranscript bounds a transcript that is read.
const maxTranscript = 4 << 20

// emv groups what is asked of the chip kernel; no device is needed for it.
func (t *tool) emv() *cobra.Command {
	c := &cobra.Command{Use: "emv", Short: "the chip kernel: play transcripts of cards against it, without a device",
		Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	c.AddCommand(&cobra.Command{Use: "replay DIR|FILE...", Short: "play transcripts (*.json) and tell which the kernel follows to the byte",
		Example: "  postool emv replay firmware/emv/testdata --json",
		Args:    cobra.MinimumNArgs(1), RunE: func(_ *cobra.Command, args []string) error { return t.replay(args) }})
	return c
}

func (t *tool) replay(args []string) error {
	paths, err := transcripts(args)
	if err != nil {
		return failure{err}
	}
	if len(paths) == 0 {
		return failure{errors.New("no transcript (*.json) there")}
	}
	bad := 0
	enc := json.NewEncoder(t.out)
	for _, path := range paths {
		r := play(path)
		if !r.Pass {
			bad++
		}
		if t.json {
			if err := enc.Encode(r); err != nil {
				return failure{err}
			}
			continue
		}
		word := "ok"
		if !r.Pass {
			word = "DIFFERS"
		}
		fmt.Fprintf(t.out, "%-8s %s: %v\n", word, path, r.Result)
		for _, e := range r.Errors {
			fmt.Fprintf(t.out, "         %s\n", e)
		}
	}
	if bad > 0 {
		return failure{fmt.Errorf("%d of %d transcripts differ", bad, len(paths))}
	}
	return nil
}

// transcripts are the files named, and the *.json under the directories named.
func transcripts(args []string) ([]string, error) {
	var paths []string
	for _, a := range args {
		err := filepath.WalkDir(a, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && (path == a || strings.HasSuffix(path, ".json")) {
				paths = append(paths, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// play runs one file; one that cannot be played is a line with its error.
func play(path string) replay.Result {
	broken := func(err error) replay.Result {
		return replay.Result{File: path, Outcome: "unreadable", Result: "unreadable", Errors: []string{err.Error()}}
	}
	if st, err := os.Stat(path); err != nil {
		return broken(err)
	} else if st.Size() > maxTranscript {
		return broken(fmt.Errorf("more than %d MiB", maxTranscript>>20))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return broken(err)
	}
	f, err := replay.Parse(b)
	if err != nil {
		return broken(err)
	}
	r, err := replay.Run(f)
	if err != nil {
		return broken(err)
	}
	r.File = path
	return r
}
