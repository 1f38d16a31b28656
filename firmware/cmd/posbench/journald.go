package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// journaldProgram is where distributions have it.
var journaldProgram = "/lib/systemd/systemd-journald"

// journaldMost bounds the whole run.
const journaldMost = 60 * time.Second

// journaldRows measures journald in the same run, and compares: the ratio means more than either
// figure on a machine with other work. It says why it does not where it cannot.
func journaldRows(dir string, rate float64, row func(what, got, bar string, ok bool)) {
	n, size, took, find, err := runJournald(filepath.Join(dir, "journald"))
	if err != nil {
		row("journald, same run", "skipped", strings.TrimSpace(err.Error()), true)
		return
	}
	theirs := float64(n) / took.Seconds()
	row(fmt.Sprintf("journald, same run (%d entries, synced)", n), fmt.Sprintf("%.0f /s", theirs), fmt.Sprintf("%.0f B an entry", float64(size)/float64(n)), true)
	row("  one id of these", find.Round(100*time.Microsecond).String(), "(journalctl, its start included)", true)
	row("append against journald's", fmt.Sprintf("%.1f ×", rate/theirs), "≥ 5 ×", rate >= 5*theirs)
}

func runJournald(dir string) (n int, size int64, took, find time.Duration, err error) {
	if os.Geteuid() != 0 {
		return 0, 0, 0, 0, errors.New("needs root, for a mount namespace of its own")
	}
	if _, err := os.Stat(journaldProgram); err != nil {
		return 0, 0, 0, 0, errors.New("no journald on this machine")
	}
	self, err := os.Executable()
	if err != nil {
		return 0, 0, 0, 0, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), journaldMost)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, "journald-run", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	var say strings.Builder
	cmd.Stderr = &say
	out, err := cmd.Output()
	if err != nil {
		return 0, 0, 0, 0, fmt.Errorf("%w %s", err, say.String())
	}
	_, err = fmt.Sscan(string(out), &n, &size, &took, &find)
	return n, size, took, find, err
}

// journaldRun is the process in the namespace: it hides the machine's own journald from itself,
// starts another, and ends it.
func journaldRun() *cobra.Command {
	return &cobra.Command{
		Use: "journald-run DIR", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			dir := args[0]
			conf := filepath.Join(dir, "conf")
			logs := filepath.Join(dir, "log")
			for _, d := range []string{conf, logs} {
				if err := os.MkdirAll(d, 0o755); err != nil {
					return err
				}
			}
			text := "[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\nRateLimitBurst=0\nSystemMaxUse=4G\nForwardToSyslog=no\n"
			if err := os.WriteFile(filepath.Join(conf, "journald@bench.conf"), []byte(text), 0o644); err != nil {
				return err
			}
			if err := os.MkdirAll("/var/log/journal", 0o755); err != nil {
				return err
			}
			mounts := []struct {
				from, to, kind string
				flags          uintptr
			}{{"", "/", "", syscall.MS_REC | syscall.MS_PRIVATE}, {"none", "/run", "tmpfs", 0}, {conf, "/etc/systemd", "", syscall.MS_BIND}, {logs, "/var/log/journal", "", syscall.MS_BIND}}
			for _, m := range mounts {
				if err := syscall.Mount(m.from, m.to, m.kind, m.flags, ""); err != nil {
					return fmt.Errorf("mount on %s: %w", m.to, err)
				}
			}
			if err := os.MkdirAll("/run/systemd/journal.bench", 0o755); err != nil {
				return err
			}
			d := exec.Command(journaldProgram, "bench")
			d.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			if err := d.Start(); err != nil {
				return err
			}
			defer func() {
				d.Process.Kill()
				d.Wait()
			}()
			const socket = "/run/systemd/journal.bench/socket"
			for range 100 {
				if _, err = os.Stat(socket); err == nil {
					break
				}
				time.Sleep(50 * time.Millisecond)
			}
			if err != nil {
				return err
			}
			c, err := net.Dial("unixgram", socket)
			if err != nil {
				return err
			}
			defer c.Close()
			const n = 100_000
			began := time.Now()
			for i := range n {
				if _, err := c.Write(journaldEntry(i)); err != nil {
					return err
				}
			}
			if out, err := exec.Command("journalctl", "--namespace=bench", "--sync").CombinedOutput(); err != nil {
				return fmt.Errorf("journalctl --sync: %w %s", err, out)
			}
			took := time.Since(began)
			size, err := treeSize(logs)
			if err != nil {
				return err
			}
			began = time.Now()
			out, err := exec.Command("journalctl", "--namespace=bench", "-q", "-o", "cat", "TRACE=cup-000001-000050").Output()
			if err != nil {
				return err
			}
			if lines := strings.Count(string(out), "\n"); lines != 12 {
				return fmt.Errorf("%d entries of one id, of 12", lines)
			}
			fmt.Fprintln(cmd.OutOrStdout(), n, size, took.Nanoseconds(), time.Since(began).Nanoseconds())
			return nil
		},
	}
}

// journaldEntry is benchEvent's form for journald's native protocol: eight fields, 160 bytes.
func journaldEntry(n int) []byte {
	sale := n / 12
	return fmt.Appendf(nil, "MESSAGE=outcome\nPRIORITY=6\nCODE=E-TXN-04\nSRC=txn\nTRACE=cup-%06d-%06d\nAMOUNT=%d.00\nCARD=622588*********%04d\nTOOK=%dms\nN=%d\n",
		sale/900+1, sale%999999+1, 1+sale*37%500, sale*7919%10000, 200+sale*131%2900, n%97+1)
}
