package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/console"
	"swipewell/firmware/journal"
	"swipewell/firmware/parameter"
	"swipewell/firmware/pos"
	"swipewell/firmware/signature"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// provisionFlags are what a person says of a device that is to go out.
type provisionFlags struct {
	t           *tool
	serial      string
	person      string
	key, out    string
	kcv         []string
	config      string
	swipe, echo bool
	wait        time.Duration
	said        io.Writer
}

// provisioned is the record of one device; the certificate has it, too.
type provisioned struct {
	Serial    string                `json:"serial"`
	Person    string                `json:"person"`
	At        time.Time             `json:"at"` // by the laptop's clock
	Accepted  bool                  `json:"accepted"`
	Why       []string              `json:"why,omitempty"` // it is not
	Device    console.SelfCheck     `json:"device"`
	Keys      map[string]string     `json:"kcv"` // as the custodians' letters have them
	Swipe     string                `json:"swipe,omitempty"`
	Params    *console.ConfigReport `json:"params,omitempty"`
	File      string                `json:"file,omitempty"`
	FileSHA   string                `json:"sha256,omitempty"` // of the certificate
	Signature string                `json:"signed_by,omitempty"`
}

func (t *tool) provision() *cobra.Command {
	p := &provisionFlags{t: t}
	c := &cobra.Command{
		Use:   "provision --serial S --person NAME --key KEYFILE",
		Short: "bring a new device into service: serial number, keys, parameters, acceptance test, signed certificate",
		Long: "Steps, each said in plain words: the serial number that the board file names; the master key, by its check value, which two custodians\n" +
			"load at the device's keypad (menu, 9, 6, 4) while this waits; a signed parameter file; a self-check, a sign of life of the host, a card\n" +
			"that is read. What is accepted gets a certificate, an HTML file to be printed, signed with KEYFILE (postool keygen), and a line in\n" +
			"records.jsonl; the device's log keeps that it was done. No key and no part of one goes through this computer. Exit 1: not accepted.",
		Example: "  postool provision --serial SW26-000117 --person 张强 --key my.key --kcv tmk=43C6CC --swipe\n  postool provision verify --key my.pub SW26-000117.html",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p.said = cmd.ErrOrStderr()
			return p.run(cmd.Context())
		},
	}
	f := c.Flags()
	f.StringVar(&p.serial, "serial", "", "the device's serial number")
	f.StringVar(&p.person, "person", "", "who does it")
	f.StringVar(&p.key, "key", "", "file that keygen made: signs the certificate")
	f.StringVar(&p.out, "out", ".", "folder for certificates and records.jsonl")
	f.StringArrayVar(&p.kcv, "kcv", nil, "a check value of a custodians' letter: tmk=43C6CC; may come again")
	f.StringVar(&p.config, "config", "", "a signed parameter file to set")
	f.BoolVar(&p.swipe, "swipe", false, "a test card must be read")
	f.BoolVar(&p.echo, "echo", true, "the host must give a sign of life")
	f.DurationVar(&p.wait, "wait", 10*time.Minute, "how long to wait for custodians, and for a card")
	for _, name := range []string{"serial", "person", "key"} {
		c.MarkFlagRequired(name)
	}
	c.AddCommand(provisionVerify(), provisionBoard())
	return c
}

var (
	serialForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{2,31}$`)
	kcvForm    = regexp.MustCompile(`^(tmk|kbpk|pik|mak|tdk)=([0-9A-Fa-f]{6,8})$`)
)

func (p *provisionFlags) run(ctx context.Context) error {
	if !serialForm.MatchString(p.serial) {
		return fmt.Errorf("--serial %q: 3 to 32 letters, digits and . _ -", p.serial)
	}
	r := provisioned{Serial: p.serial, Person: p.person, At: time.Now().Truncate(time.Second), Keys: map[string]string{}}
	for _, k := range p.kcv {
		m := kcvForm.FindStringSubmatch(k)
		if m == nil {
			return fmt.Errorf("--kcv %q: SLOT=HEX, as tmk=43C6CC", k)
		}
		r.Keys[m[1]] = strings.ToUpper(m[2][:6])
	}
	priv, err := signer(p.key)
	if err != nil {
		return err
	}
	defer clear(priv)
	// What there is to say is said at the end, too: a person fixes all of it at once.
	refuse := func(format string, a ...any) { r.Why = append(r.Why, fmt.Sprintf(format, a...)) }
	if r.Device, err = p.check(ctx, false); err != nil {
		return err
	}
	p.step("1. serial number %s", p.serial)
	switch r.Device.Serial {
	case p.serial:
	case "":
		refuse("the board file names no serial number: make it with postool provision board, and start the device with it")
	default:
		refuse("the board file names serial number %s, not %s", r.Device.Serial, p.serial)
	}
	p.step("2. keys")
	if err := p.keys(ctx, &r, refuse); err != nil {
		return err
	}
	if p.config != "" {
		p.step("3. parameters %s", p.config)
		if err := p.params(ctx, &r, refuse); err != nil {
			return err
		}
	}
	if p.swipe {
		p.step("4. card: swipe a test card at the device")
		if r.Swipe, err = p.card(ctx, r.Device.At); err != nil {
			return err
		}
		if r.Swipe == "" {
			refuse("no card was read within %v", p.wait)
		}
	}
	p.step("5. self-check")
	if r.Device, err = p.check(ctx, p.echo); err != nil {
		return err
	}
	for _, x := range r.Device.Items {
		if x.State == console.Fail {
			refuse("%s: %s %s", x.Item, console.Explain(p.t.lang(), x.Code), x.Text)
		}
	}
	if p.echo && !answered(r.Device) {
		refuse("the host gave no sign of life")
	}
	r.Accepted = len(r.Why) == 0
	return p.finish(ctx, &r, priv)
}

func (p *provisionFlags) step(format string, a ...any) { fmt.Fprintf(p.said, format+"\n", a...) }

func answered(c console.SelfCheck) bool {
	for _, x := range c.Items {
		if x.Item == "echo" {
			return x.State == console.OK
		}
	}
	return false
}

func (p *provisionFlags) check(ctx context.Context, echo bool) (r console.SelfCheck, err error) {
	q := console.Request{Cmd: "selfcheck"}
	if echo {
		q.Name = "echo"
	}
	err = p.t.items(ctx, q, func(x console.Reply) error { return json.Unmarshal(x.Data, &r) })
	return r, err
}

// held is the check value that the device has of a slot.
func held(c console.SelfCheck, slot string) string {
	for _, k := range c.Keys {
		if string(k.Slot) == slot {
			return k.KCV
		}
	}
	return ""
}

// keys waits for the custodians, and compares what the device has with their letters.
func (p *provisionFlags) keys(ctx context.Context, r *provisioned, refuse func(string, ...any)) (err error) {
	clock := hal.SystemClock{}
	told := false
	for until := clock.Now().Boot + p.wait; held(r.Device, "tmk") == "" && clock.Now().Boot < until; {
		if !told {
			p.step("   the device has no master key: two custodians load it at its keypad (menu, 9, 6, 4), each with their own letter. Waiting...")
			told = true
		}
		if hal.Sleep(ctx, clock, 2*time.Second) != nil {
			break
		}
		if r.Device, err = p.check(ctx, false); err != nil {
			return err
		}
	}
	if held(r.Device, "tmk") == "" {
		refuse("the device has no master key")
	}
	for slot, want := range r.Keys {
		switch have := held(r.Device, slot); {
		case have == "":
			refuse("key %s is not there", slot)
		case have != want:
			refuse("key %s has check value %s, the letter says %s: it is another key", slot, have, want)
		default:
			p.step("   %s %s, as the letter says", slot, have)
		}
	}
	return nil
}

func (p *provisionFlags) params(ctx context.Context, r *provisioned, refuse func(string, ...any)) error {
	text, err := readText(p.config, parameter.MaxFile)
	if err != nil {
		return err
	}
	var rep console.ConfigReport
	err = p.t.items(ctx, console.Request{Cmd: "config-set", Text: text}, func(x console.Reply) error { return json.Unmarshal(x.Data, &rep) })
	var no *console.Refused
	switch {
	case errors.As(err, &no):
		refuse("parameters: %s", no.Text)
		return nil
	case err != nil:
		return err
	}
	r.Params = &rep
	return nil
}

// card waits for a swipe that was read, since the device's time from.
func (p *provisionFlags) card(ctx context.Context, from time.Time) (what string, err error) {
	clock := hal.SystemClock{}
	for until := clock.Now().Boot + p.wait; ; {
		err := p.t.items(ctx, console.Request{Cmd: "log", Filter: journal.Filter{Code: prompt.LogSwipe, Since: from.Add(-p.wait), Last: 50}}, func(x console.Reply) error {
			if x.Kind != "entry" {
				return nil
			}
			var e journal.Entry
			if err := json.Unmarshal(x.Data, &e); err != nil {
				return err
			}
			if e.Get("t2") == "ok" {
				what = e.Wall.In(pos.CST).Format(time.DateTime)
			}
			return nil
		})
		if err != nil || what != "" || clock.Now().Boot >= until {
			return what, err
		}
		if hal.Sleep(ctx, clock, time.Second) != nil {
			return "", nil
		}
	}
}

// finish writes the certificate of a device that is accepted, the record of any, and
// has the device's log keep it.
func (p *provisionFlags) finish(ctx context.Context, r *provisioned, priv ed25519.PrivateKey) error {
	if err := os.MkdirAll(p.out, 0o755); err != nil {
		return failure{err}
	}
	pub, _ := priv.Public().(ed25519.PublicKey)
	r.Signature = signature.KeyID(pub)
	if r.Accepted {
		r.File = filepath.Join(p.out, p.serial+".html")
		page := signature.Sign(certificate(p.t.lang(), *r), priv)
		sum := sha256.Sum256([]byte(page))
		r.FileSHA = hex.EncodeToString(sum[:])
		if err := replaceFile(r.File, page); err != nil {
			return failure{err}
		}
	}
	note := console.Request{Cmd: "service-note", Name: "provision", Text: strings.TrimRight(clipTo(r.Serial+" by "+r.Person, 78)+" "+r.FileSHA[:min(16, len(r.FileSHA))], " ")}
	if !r.Accepted {
		note.N = 1
	}
	if err := p.t.items(ctx, note, func(console.Reply) error { return nil }); err != nil {
		return err
	}
	line, err := json.Marshal(r)
	if err != nil {
		return failure{err}
	}
	if err := appendLine(filepath.Join(p.out, "records.jsonl"), line); err != nil {
		return failure{err}
	}
	if p.t.json {
		fmt.Fprintf(p.t.out, "%s\n", line)
	} else {
		console.WriteSelfcheck(p.t.out, p.t.lang(), r.Device)
	}
	if !r.Accepted {
		for _, w := range r.Why {
			fmt.Fprintln(p.said, "  -", w)
		}
		return failure{fmt.Errorf("%s is not accepted", p.serial)}
	}
	if !p.t.json {
		fmt.Fprintf(p.t.out, "accepted: %s\n", r.File)
	}
	return nil
}

// clipTo cuts a text after at most n bytes, between two characters.
func clipTo(s string, n int) string {
	for len(s) > n {
		_, size := lastRune(s)
		s = s[:len(s)-size]
	}
	return s
}

func replaceFile(path, text string) error {
	if err := os.WriteFile(path+"~", []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(path+"~", path)
}

func appendLine(path string, line []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}
