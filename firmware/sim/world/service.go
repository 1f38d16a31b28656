package world

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"swipewell/drivers/tty/ttysim"
	"swipewell/firmware/role"
	"swipewell/firmware/role/challenge"
	"swipewell/hal"
)

// BenchPIN is the PIN of every role on the bench.
const BenchPIN = "2580"

// pinHash is made once a process: it is slow on purpose.
var pinHash = sync.OnceValue(func() string {
	h, err := role.Hash(BenchPIN)
	if err != nil {
		return "" // then nobody logs in
	}
	return h
})

// people are the bench's staff: two cashiers, two supervisors, a technician.
func people() string {
	text := ""
	for _, p := range []struct {
		n          int
		name, role string
	}{{1, "陈静", "cashier"}, {2, "李伟", "cashier"}, {90, "王芳", "supervisor"}, {91, "赵敏", "supervisor"}, {99, "张强", "technician"}} {
		text += fmt.Sprintf("[[operator]]\nnumber = %d\nname = %q\nrole = %q\npin = %q\n\n", p.n, p.name, p.role, pinHash())
	}
	return text
}

// deskKeys are the bench's: who has one for the cable, and the acquirer's for
// recovery. They are worth as much as the PIN of everybody there.
var deskKeys = []struct {
	file, name, role string
	number           int
}{{"technician.key", "张强", "technician", 99}, {"engineer.key", "周岩", "engineer", 98}, {"recovery.key", "", "", 0}}

// benchSeed is the private half of one of them.
func benchSeed(file string) []byte {
	sum := sha256.Sum256([]byte("swipewell bench " + file))
	return sum[:]
}

// DeskDir is where a script finds the private keys.
func (w *World) DeskDir() string { return w.path("desk") }

// layDesk writes the private keys where postool reads them.
func (w *World) layDesk() error {
	if err := os.MkdirAll(w.DeskDir(), 0o700); err != nil {
		return err
	}
	for _, k := range deskKeys {
		if err := os.WriteFile(filepath.Join(w.DeskDir(), k.file), []byte(base64.StdEncoding.EncodeToString(benchSeed(k.file))+"\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// serviceKeys is the board file's list of them.
func serviceKeys() (text string) {
	for _, k := range deskKeys {
		if k.role != "" {
			pub := ed25519.NewKeyFromSeed(benchSeed(k.file)).Public().(ed25519.PublicKey)
			text += fmt.Sprintf("[[service.key]]\nname = %q\nnumber = %d\nrole = %q\nkey = %q\n\n", k.name, k.number, k.role, base64.StdEncoding.EncodeToString(pub))
		}
	}
	return text
}

// recoveryText is the acquirer's key in [keystore]; "board recovery off" leaves it out.
func (w *World) recoveryText() string {
	if w.noRecovery {
		return ""
	}
	k, err := ecdh.X25519().NewPrivateKey(benchSeed("recovery.key"))
	if err != nil {
		return ""
	}
	return fmt.Sprintf("recovery = %q\n", base64.StdEncoding.EncodeToString(k.PublicKey().Bytes()))
}

// asks is the end of what the console says when it waits.
var asks = regexp.MustCompile(`(swipewell( [a-z]+#|>)|PIN:|answer:|密码:|回答:) $`)

var challengeText = regexp.MustCompile(`SWC1\.[A-Za-z0-9_-]+`)

// login logs a role in at the service cable: by the key that the role has on the
// bench, or else by PIN.
func (w *World) login(ctx context.Context, who string) error {
	out, err := w.Service(ctx, "login "+who)
	if err != nil {
		return err
	}
	answer := BenchPIN
	if c := challengeText.FindString(out); c != "" {
		if answer, err = challenge.Sign(c, ed25519.NewKeyFromSeed(benchSeed(who+".key"))); err != nil {
			return err
		}
	}
	from := len(w.ServiceSaid())
	if out, err = w.Service(ctx, answer); err != nil {
		return err
	}
	// A PIN's hash is slow on purpose, and on a busy machine slower.
	if w.waitFor(ctx, 5*time.Second, "the console's word", func() (bool, error) {
		said := w.ServiceSaid()
		out = said[min(from, len(said)):]
		return asks.MatchString(out), nil
	}) == nil && strings.Contains(out, "swipewell "+who+"#") {
		return nil
	}
	return fmt.Errorf("login %s: %q", who, strings.TrimSpace(out))
}

// readService collects what the console says on the cable.
func (w *World) readService(p *ttysim.Pair) {
	buf := make([]byte, 4096)
	for {
		n, err := p.Read(buf)
		w.mu.Lock()
		if w.service == p {
			w.svcOut = append(w.svcOut, buf[:n]...)
		}
		w.mu.Unlock()
		if n > 0 {
			w.toFar(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

// Service types one line at the service cable and gives what came back, until
// the cable has been quiet for a moment.
func (w *World) Service(ctx context.Context, text string) (string, error) {
	w.mu.Lock()
	p := w.service
	from := len(w.svcOut)
	w.mu.Unlock()
	if p == nil {
		return "", errors.New("service: the power is off")
	}
	if _, err := p.Write([]byte(text + "\r")); err != nil {
		return "", err
	}
	last, quiet := from, 0
	for i := 0; i < 250 && quiet < 15; i++ {
		if err := hal.Sleep(ctx, hal.SystemClock{}, 20*time.Millisecond); err != nil {
			return "", err
		}
		w.mu.Lock()
		n := len(w.svcOut)
		tail := bytes.Clone(w.svcOut[max(min(from, n), n-24):])
		w.mu.Unlock()
		switch {
		case n != last:
			last, quiet = n, 0
		case asks.Match(tail): // it waits for the next line
			quiet += 8
		default:
			quiet++
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.svcOut[min(from, len(w.svcOut)):]), nil
}
