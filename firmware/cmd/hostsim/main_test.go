package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMayListen(t *testing.T) {
	for _, c := range []struct {
		addr string
		any  bool
		ok   bool
	}{
		{"127.0.0.1:0", false, true}, {"[::1]:8583", false, true}, {"localhost:8583", false, true}, {"127.9.9.9:1", false, true},
		{":8583", false, false}, {"0.0.0.0:8583", false, false}, {"192.0.2.1:8583", false, false}, {"example.com:1", false, false},
		{"0.0.0.0:8583", true, true}, {"8583", true, false},
	} {
		if err := mayListen(c.addr, c.any); (err == nil) != c.ok {
			t.Errorf("%s, any %v: %v", c.addr, c.any, err)
		}
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cards.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadCards(t *testing.T) {
	got, err := readCards(write(t, "[cards.b]\nbalance = \"5\"\nservice = 101\n[cards.a]\nstatus = \"lost\"\n"))
	if err != nil || len(got) != 2 || strings.Join(got[0], " ") != "a status=lost" || strings.Join(got[1], " ") != "b balance=5 service=101" {
		t.Errorf("%v, %v", got, err)
	}
	for text, want := range map[string]string{
		"[cards.a]\npan = 62258800\n[card.b]\n":     "unknown key card",
		"[cards.a]\npan = \"6225880000000000010\nx": "cards.toml:2",
	} {
		_, err := readCards(write(t, text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "622588") {
			t.Errorf("%v, want %q and no number", err, want)
		}
	}
	if _, err := readCards("/nowhere/cards.toml"); err == nil {
		t.Error("no file, no error")
	}
}

// line is what one line of the output may hold.
type line struct {
	What, Addr, Text, MTI string
	OK                    bool
}

// session runs hostsim with arguments and gives its lines.
func session(t *testing.T, args ...string) (type_ func(string), next func(what string) line, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	in, stdin := io.Pipe()
	stdout, out := io.Pipe()
	cmd := command()
	cmd.SetArgs(args)
	cmd.SetIn(in)
	cmd.SetOut(out)
	done := make(chan error, 1)
	go func() {
		err := cmd.ExecuteContext(ctx)
		out.Close()
		done <- err
	}()
	lines := bufio.NewScanner(stdout)
	next = func(what string) line {
		t.Helper()
		for lines.Scan() {
			var l line
			if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
				t.Fatalf("%s: %v", lines.Text(), err)
			}
			if l.What == what {
				return l
			}
		}
		t.Fatalf("ended before %q: %v", what, lines.Err())
		return line{}
	}
	stop = func() error {
		cancel()
		go io.Copy(io.Discard, stdout)
		return <-done
	}
	return func(s string) { io.WriteString(stdin, s+"\n") }, next, stop
}

func TestSession(t *testing.T) {
	books := filepath.Join(t.TempDir(), "books.jsonl")
	say, next, stop := session(t, "--books", books, "--cards", write(t, "[cards.vip]\nbalance = \"9.99\"\n"))
	addr := next("listen").Addr
	for _, c := range []struct {
		say, text string
		ok        bool
	}{
		{"answer late 5s -n 1", "", true},
		{"host decline 51", "", true},
		{"# a remark\n\nhost answer loud", "answer normal|", false},
		{"cards", `"name":"vip"`, true},
		{"status", "up " + addr, true},
		{"help", "answer normal|", true},
	} {
		say(c.say)
		if l := next("reply"); l.OK != c.ok || !strings.Contains(l.Text, c.text) {
			t.Errorf("%s: %+v", c.say, l)
		}
	}
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// An echo of a terminal that this host does not know.
	c.Write([]byte("\x00\x34\x60\x00\x03\x00\x00\x60\x31\x00\x31\x10\x03\x08\x20\x00\x00\x00\x00\x00\xc0\x00\x10" + "9999999989810001234000\x31" + "\x00\x11\x00\x00\x00\x01\x30\x10"))
	if l := next("finding"); l.MTI != "0820" {
		t.Errorf("%+v", l)
	}
	if err := stop(); err == nil || !strings.Contains(err.Error(), "1 findings, the first: terminal 0820") {
		t.Errorf("the finding is no error of the run: %v", err)
	}
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("it still listens")
	}
}

func TestRefusals(t *testing.T) {
	for _, args := range [][]string{{"--listen", "0.0.0.0:0"}, {"--tmk", "zz"}, {"--tid", "1"}, {"--mac", "crc"}, {"--cards", "/nowhere"},
		{"--books", "/nowhere/books"}, {"--colour"}, {"extra"}} {
		cmd := command()
		cmd.SetArgs(args)
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		if err := cmd.ExecuteContext(t.Context()); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
	cmd := command()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"--help"})
	if err := cmd.Execute(); err != nil || !strings.Contains(out.String(), "--any-address") || !strings.Contains(out.String(), "decline RC") {
		t.Errorf("help: %v %s", err, out.String())
	}
}
