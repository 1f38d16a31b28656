// Package board turns a board file (TOML) into opened drivers: a *hal.Board
// and a report that says of each device whether it was loaded, skipped and
// why, or failed and why.
//
// Sources:
//   - TOML: toml.io v1.0
//   - PERIPH: periph.io/x/conn/v3/driver/driverreg, whose three ends the report has
//
// A mistake in the file stops the device it concerns, is named with file, line
// and key, and leaves the rest running; a mistake in what money depends on
// (acquirer, keystore) stops selling, see [Result.Stop].
package board

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"swipewell/firmware/pos"
	"swipewell/firmware/recovery"
	"swipewell/firmware/role"
)

// File is a board file. Each device section may be absent: not fitted.
type File struct {
	Name     string     `toml:"name"`
	Bench    bool       `toml:"bench"`
	Lang     string     `toml:"lang"` // language of a fresh store: "zh" (default) or "en"
	Merchant Merchant   `toml:"merchant"`
	Display  Display    `toml:"display"`
	Panel    *Panel     `toml:"panel"`
	MSR      *MSR       `toml:"msr"`
	ICC      *ICC       `toml:"icc"`
	Tables   Tables     `toml:"tables"`
	Links    []Link     `toml:"link"`
	Keystore *Keystore  `toml:"keystore"`
	Service  *Service   `toml:"service"`
	Acquirer *Acquirer  `toml:"acquirer"`
	HostList []Host     `toml:"host"`
	Store    Store      `toml:"store"`
	Log      Log        `toml:"log"`
	Rules    Rules      `toml:"rules"`
	People   []Operator `toml:"operator"`
	Assets   []Asset    `toml:"asset"`
	Process  Process    `toml:"process"`
	Update   *Update    `toml:"update"`

	path  string
	text  string
	wrong map[string][]string // section → what is wrong with it
}

// Log bounds the journal.
type Log struct {
	MaxMB    int     `toml:"max_mb"`     // of all its files; 0 means 16
	DayMB    float64 `toml:"day_mb"`     // what a day may write to the flash; one that writes more is told of. 0 means 64
	KeepDays int     `toml:"keep_days"`  // entries below WARN; 0 means 90
	Grave    int     `toml:"grave_days"` // the others; 0 means 365
	// Kmsg is where the kernel's messages are read; "" means /dev/kmsg, and on a bench
	// nowhere, since that kernel is not the device's. "off": they are not read.
	Kmsg string `toml:"kmsg"`
	// Stick is where a USB stick is mounted: a log is copied to it when a person says so.
	Stick string `toml:"stick"`
}

// Bytes is MaxMB in bytes.
func (l Log) Bytes() int64 { return int64(l.MaxMB) << 20 }

// DayBytes is DayMB in bytes.
func (l Log) DayBytes() int64 {
	if l.DayMB == 0 {
		return 64 << 20
	}
	return int64(l.DayMB * (1 << 20))
}

// Merchant is what stands at the top of a slip.
type Merchant struct {
	Name   string `toml:"name"`
	NameEN string `toml:"name_en"`
}

// Display tells the size to draw for.
type Display struct {
	Width  int  `toml:"width"`
	Height int  `toml:"height"`
	Mono   bool `toml:"mono"`
}

// Panel is the virtual bench's socket: display, keypad, PIN pad, lamps,
// sounder, printer, tamper and clock. Only with bench = true.
type Panel struct {
	Socket string `toml:"socket"`
}

// MSR is the stripe reader.
type MSR struct {
	Driver  string `toml:"driver"` // "serial" or "ttl"
	Port    string `toml:"port"`
	Baud    int    `toml:"baud"`
	Clock   string `toml:"clock"` // ttl: GPIO names
	Data    string `toml:"data"`
	Present string `toml:"present"`
}

// Link is one way to the host; the order in the file is the preference.
type Link struct {
	Name   string `toml:"name"`
	Driver string `toml:"driver"` // "at" or "tcp"
	Port   string `toml:"port"`
	Baud   int    `toml:"baud"`
	APN    string `toml:"apn"`
	Mode   string `toml:"mode"` // at: "buffer" (default), "push", "transparent"
	TLS    bool   `toml:"tls"`
	CA     string `toml:"ca"`     // tcp: PEM file of the only CA that is believed
	Server string `toml:"server"` // tcp: the name in the host's certificate
}

// Keystore is where keys live.
type Keystore struct {
	Driver string `toml:"driver"` // "softkeys"
	File   string `toml:"file"`
	Tamper string `toml:"tamper"` // the tamper line that protects it; needed without bench
	// Recovery is the acquirer's public key, X25519 in base64, to which records of
	// money are sealed a second time; needed without bench.
	Recovery string `toml:"recovery"`
}

// Service is the technician's cable.
type Service struct {
	Port string `toml:"port"`
	Baud int    `toml:"baud"`
	// Who logs in by answering a challenge: no PIN is typed over the cable.
	Keys []ServiceKey `toml:"key"`
	// PINs as argon2id hashes, made by `postool pin`, on a bench only, and never a
	// technician's or an engineer's.
	Cashier    string `toml:"cashier"`
	Supervisor string `toml:"supervisor"`
	// Whom to call, as the page of maintenance shows it.
	Phone    string `toml:"phone"`
	Contract string `toml:"contract"`
}

// ServiceKey is somebody's key for the service cable.
type ServiceKey struct {
	Name   string `toml:"name"`
	Number int    `toml:"number"` // 1..99, for the journal; 0 none
	Role   string `toml:"role"`   // technician (default), engineer, supervisor, cashier
	Key    string `toml:"key"`    // ed25519 public key, base64, made by postool keygen
}

// Asset is one thing of the device's inventory that it cannot know itself.
type Asset struct {
	Kind  string `toml:"kind"`  // serial, place, sim, seal, deposit, contract, cert
	Value string `toml:"value"` // as people write it
	Until string `toml:"until"` // the day on which it ends, 2027-06-30; "" it does not
}

// AssetKinds are the sorts of an inventory.
var AssetKinds = []string{"serial", "place", "sim", "seal", "deposit", "contract", "cert"}

// Process is what posd becomes once its devices are open.
type Process struct {
	User string `toml:"user"` // the user, where posd was started by root; "": it stays root, and says so
}

// Store is where records are kept.
type Store struct {
	Side string `toml:"side"` // folder for copies and side logs, best on a second partition
}

// Rules say which cards may pay when; see firmware/doc/throttle.md.
type Rules struct {
	Profile  string   `toml:"profile"`  // a kind of merchant of the build: "resto"
	File     string   `toml:"file"`     // or a signed file of the acquirer's
	Merchant string   `toml:"merchant"` // a file of the merchant's own: tighter only
	Keys     []string `toml:"keys"`     // ed25519 public keys, base64, that may sign rules
}

// Operator is somebody who may name themselves at the device.
type Operator struct {
	Number int    `toml:"number"` // 1..99
	Name   string `toml:"name"`
	Role   string `toml:"role"` // cashier, supervisor, technician
	PIN    string `toml:"pin"`  // argon2id, made by postool pin
}

// Acquirer is the host context: who we are to whom.
type Acquirer struct {
	Context       string   `toml:"context"`
	TID           string   `toml:"tid"`
	MID           string   `toml:"mid"`
	TPDU          string   `toml:"tpdu"`   // 10 digits, default 6000030000
	Header        string   `toml:"header"` // 12 digits, default 603100311003
	Hosts         []string `toml:"hosts"`  // host:port, in order
	MAC           string   `toml:"mac"`    // "ecb" (default), "x9.9", "x9.19", "3des-cbc", "sm4-cbc"
	KeyForm       string   `toml:"keys"`   // DE 60.3 of the sign-on: "001", "003" (default), "004", "005"
	AnswerTimeout Duration `toml:"answer_timeout"`
	DialTimeout   Duration `toml:"dial_timeout"`
	IdleClose     Duration `toml:"idle_close"`
	SettleAfter   Duration `toml:"settle_after"`
	MaxOpen       *int     `toml:"max_open"`
	MaxAmount     string   `toml:"max_amount"`
	CardTimeout   Duration `toml:"card_timeout"`
	ConfirmTime   Duration `toml:"confirm_timeout"`
	PINTimeout    Duration `toml:"pin_timeout"`
	PINBypass     *bool    `toml:"pin_bypass"` // false: no card pays without its PIN; default: what its issuer says
	EncryptTracks bool     `toml:"encrypt_tracks"`
	NoMACDeclines bool     `toml:"no_mac_on_declines"`
	NoMAC         bool     `toml:"no_mac"`
	Offline       *Offline `toml:"offline"` // none: no offline sales
}

// Host is one address of an acquirer; the order in the file is the preference.
// Hosts of one context are routes to the same books.
type Host struct {
	Name    string `toml:"name"`
	Address string `toml:"address"` // host:port
	Context string `toml:"context"` // that of [acquirer]; may be left out
}

// Hosts are the acquirer's addresses in order: those of [acquirer] first.
func (f *File) Hosts() (all []Host) {
	if f.Acquirer != nil {
		for _, addr := range f.Acquirer.Hosts {
			all = append(all, Host{Name: addr, Address: addr, Context: f.Acquirer.Context})
		}
	}
	return append(all, f.HostList...)
}

// Offline are the limits of store and forward; all apply at once.
type Offline struct {
	Each  string   `toml:"each"`  // one sale, "500.00"
	Total string   `toml:"total"` // their sum
	Count int      `toml:"count"`
	Age   Duration `toml:"age"` // of the oldest, "24h"
}

// Duration is a time.Duration that reads "90s".
type Duration struct{ time.Duration }

// UnmarshalText reads "90s", "2m", "500ms".
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err == nil && v <= 0 {
		err = errors.New("a time must be more than nothing")
	}
	d.Duration = v
	return err
}

// Error names a mistake in a board file: file, line and key.
type Error struct {
	Path string
	Line int
	Key  string
	Why  string
}

func (e *Error) Error() string {
	s := e.Path
	if e.Line > 0 {
		s += fmt.Sprintf(":%d", e.Line)
	}
	if e.Key != "" {
		s += ": " + e.Key
	}
	return s + ": " + e.Why
}

// Read reads and checks a board file. An error means that nothing can be done
// with it: not there, or not TOML. Mistakes in a section are kept for [Open].
func Read(path string) (*File, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("board: %w", err)
	}
	f := &File{path: path, text: string(b), wrong: map[string][]string{}}
	if err := f.parse(); err != nil {
		return nil, fmt.Errorf("board: %w", err)
	}
	f.check()
	return f, nil
}

func (f *File) parse() error {
	md, err := toml.Decode(f.text, f)
	if err != nil {
		var pe toml.ParseError
		if errors.As(err, &pe) {
			return &Error{Path: f.path, Line: pe.Position.Line, Key: pe.LastKey, Why: pe.Message}
		}
		return &Error{Path: f.path, Why: err.Error()}
	}
	for _, k := range md.Undecoded() {
		f.fault(k.String(), "unknown key")
	}
	return nil
}

// fault keeps a mistake under its section, with the line it stands in.
func (f *File) fault(key, why string) {
	section, _, _ := strings.Cut(key, ".")
	e := &Error{Path: f.path, Line: f.line(key), Key: key, Why: why}
	f.wrong[section] = append(f.wrong[section], e.Error())
}

// line finds where a dotted key stands; 0 if it is nowhere. The TOML package
// gives positions only of what does not parse.
func (f *File) line(key string) int {
	section, name, dotted := strings.Cut(key, ".")
	if !dotted {
		section, name = "", key
	}
	at := ""
	for i, l := range strings.Split(f.text, "\n") {
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "[") {
			at = strings.Trim(strings.SplitN(l, "]", 2)[0], "[] ")
			if at == key || at == section && name == "" {
				return i + 1
			}
			continue
		}
		k, _, ok := strings.Cut(l, "=")
		if ok && at == section && strings.TrimSpace(k) == name {
			return i + 1
		}
	}
	return 0
}

// need notes a missing value; the line is that of the section.
func (f *File) need(section, key, value string) {
	if value == "" {
		e := &Error{Path: f.path, Line: f.line(section), Key: section + "." + key, Why: "missing"}
		f.wrong[section] = append(f.wrong[section], e.Error())
	}
}

// check finds what is missing or contradicts itself.
func (f *File) check() {
	if f.Lang != "" && f.Lang != "zh" && f.Lang != "en" {
		f.fault("lang", `must be "zh" or "en"`)
	}
	if p := f.Panel; p != nil {
		f.need("panel", "socket", p.Socket)
		if !f.Bench {
			f.fault("panel", "only on a board with bench = true")
		}
	}
	if m := f.MSR; m != nil {
		switch m.Driver {
		case "serial":
			f.need("msr", "port", m.Port)
		case "ttl":
			f.need("msr", "clock", m.Clock)
			f.need("msr", "data", m.Data)
		default:
			f.fault("msr.driver", `must be "serial" or "ttl"`)
		}
	}
	f.checkICC()
	f.checkTables()
	for _, l := range f.Links {
		switch l.Driver {
		case "at":
			f.need("link", "port", l.Port)
		case "tcp":
		default:
			f.fault("link.driver", `must be "at" or "tcp"`)
		}
	}
	if k := f.Keystore; k != nil {
		if k.Driver != "softkeys" {
			f.fault("keystore.driver", `must be "softkeys"`)
		}
		f.need("keystore", "file", k.File)
		switch _, err := recovery.ParsePublic(k.Recovery); {
		case k.Recovery == "" && !f.Bench:
			// A record of money whose only key is erased would be lost: such a
			// device sells nothing. ADR 24.
			f.need("keystore", "recovery", "")
		case k.Recovery != "" && err != nil:
			f.fault("keystore.recovery", "must be an X25519 public key in base64, made by postool recovery keygen")
		}
	}
	if s := f.Service; s != nil {
		f.need("service", "port", s.Port)
		f.checkService(s)
	}
	f.checkPeople()
	f.checkAcquirer()
	f.checkUpdate()
}

func (f *File) checkService(s *Service) {
	for key, hash := range map[string]string{"cashier": s.Cashier, "supervisor": s.Supervisor} {
		if hash != "" && !f.Bench {
			f.fault("service."+key, "a PIN is typed over the cable on a bench only: [[service.key]]")
		}
	}
	names, keys := map[string]bool{}, map[string]bool{}
	for i := range s.Keys {
		k := &s.Keys[i]
		if k.Role == "" {
			k.Role = string(role.Technician)
		}
		b, err := base64.StdEncoding.DecodeString(k.Key)
		switch {
		case err != nil || len(b) != ed25519.PublicKeySize || keys[string(b)]:
			f.fault("service.key", fmt.Sprintf("the key of %q must be 32 bytes in base64, and nobody else's", k.Name))
		case k.Name == "" || names[k.Name]:
			f.fault("service.key", "each needs a name of its own")
		case !role.Known(role.Role(k.Role)):
			f.fault("service.key", fmt.Sprintf("%q: role must be technician, engineer, supervisor or cashier", k.Name))
		case k.Number < 0 || k.Number > 99:
			f.fault("service.key", fmt.Sprintf("%q: number must be 1 to 99, or left out", k.Name))
		}
		names[k.Name], keys[string(b)] = true, true
	}
}

func (f *File) checkPeople() {
	seen := map[int]bool{}
	for _, p := range f.People {
		switch {
		case p.Number < 1 || p.Number > 99:
			f.fault("operator.number", "must be 1 to 99")
		case seen[p.Number]:
			f.fault("operator.number", fmt.Sprintf("%d stands twice", p.Number))
		case p.Role != "cashier" && p.Role != "supervisor" && p.Role != "technician":
			f.fault("operator.role", `must be "cashier", "supervisor" or "technician"`)
		case !strings.HasPrefix(p.PIN, "$argon2id$"):
			f.fault("operator.pin", "must be a hash that postool pin makes")
		}
		seen[p.Number] = true
	}
	for _, a := range f.Assets {
		if !slices.Contains(AssetKinds, a.Kind) {
			f.fault("asset.kind", "must be one of "+strings.Join(AssetKinds, ", "))
		}
		if _, err := time.Parse(time.DateOnly, a.Until); a.Until != "" && err != nil {
			f.fault("asset.until", "must be a day, as 2027-06-30")
		}
	}
	for _, k := range f.Rules.Keys {
		if b, err := base64.StdEncoding.DecodeString(k); err != nil || len(b) != 32 {
			f.fault("rules.keys", "a key is 32 bytes in base64")
		}
	}
}

func (f *File) checkAcquirer() {
	a := f.Acquirer
	if a == nil {
		f.wrong["acquirer"] = append(f.wrong["acquirer"], (&Error{Path: f.path, Key: "acquirer", Why: "missing: without it no sale can be made"}).Error())
		return
	}
	f.need("acquirer", "context", a.Context)
	if len(a.TID) != 8 {
		f.fault("acquirer.tid", "must have 8 characters")
	}
	if len(a.MID) != 15 {
		f.fault("acquirer.mid", "must have 15 characters")
	}
	digits := func(key, s string, n int) {
		if s != "" && (len(s) != n || strings.Trim(s, "0123456789") != "") {
			f.fault("acquirer."+key, fmt.Sprintf("must be %d digits", n))
		}
	}
	digits("tpdu", a.TPDU, 10)
	digits("header", a.Header, 12)
	if len(a.Hosts)+len(f.HostList) == 0 {
		f.need("acquirer", "hosts", "")
	}
	for _, h := range f.HostList {
		switch {
		case h.Address == "":
			f.fault("acquirer.host", "a [[host]] without an address")
		case h.Context != "" && h.Context != a.Context:
			// A record of one context must never go to another.
			f.fault("acquirer.host", fmt.Sprintf("host %q is of context %q, the acquirer's is %q: one context a device", h.Name, h.Context, a.Context))
		}
	}
	if o := a.Offline; o != nil {
		for key, v := range map[string]string{"acquirer.offline.each": o.Each, "acquirer.offline.total": o.Total} {
			if _, err := pos.ParseAmount(v); err != nil {
				f.fault(key, "must be an amount like 500.00")
			}
		}
	}
	if a.MaxAmount != "" {
		if _, err := pos.ParseAmount(a.MaxAmount); err != nil {
			f.fault("acquirer.max_amount", "must be an amount like 50000.00")
		}
	}
	switch a.KeyForm {
	case "", "001", "003", "004":
		if a.MAC == "sm4-cbc" {
			f.fault("acquirer.mac", `"sm4-cbc" needs keys = "005"`)
		}
	case "005":
		switch {
		case a.MAC != "sm4-cbc":
			f.fault("acquirer.mac", `keys = "005" are for SM4: mac must be "sm4-cbc"`)
		case a.EncryptTracks: // HOST §1.2 encrypts eight bytes of a track; SM4 has sixteen
			f.fault("acquirer.encrypt_tracks", `not with keys = "005"`)
		}
	default:
		f.fault("acquirer.keys", `must be "001", "003", "004" or "005"`)
	}
	switch a.MAC {
	case "", "ecb", "x9.9", "x9.19", "3des-cbc", "sm4-cbc":
	default:
		f.fault("acquirer.mac", `must be "ecb", "x9.9", "x9.19", "3des-cbc" or "sm4-cbc"`)
	}
}

// Wrong lists every mistake found in the file.
func (f *File) Wrong() []string {
	var all []string
	for _, w := range f.wrong {
		all = append(all, w...)
	}
	return all
}
