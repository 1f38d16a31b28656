package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/sim/acquirer"
	"swipewell/firmware/sim/sieve"
	"swipewell/firmware/sim/world"
)

// number of a file among its like.
var number = regexp.MustCompile(`\d{8}`)

// sieveLife is the run and what it has seen so far.
type sieveLife struct {
	w                 *world.World
	x                 *sieve.Search
	cards             []sieve.Card
	r                 *sieved
	out               io.Writer // what posbench says on the way
	slips             int
	last              string // the last screen searched
	exports, exported int    // all, and those with something in them
}

// customer is one of the life's: the card's name in the tray, and what they buy for.
type customer struct {
	n            int
	card         sieve.Card
	name, amount string
}

// visit is what a customer does.
type visit func(l *sieveLife, ctx context.Context, c customer) error

// sell is a sale whose PIN is keyed whole.
func sell(l *sieveLife, ctx context.Context, c customer) error { return l.sale(ctx, c, -1) }

// between is a sale with orders to the world before and behind it.
func between(before []string, after ...[]string) visit {
	return func(l *sieveLife, ctx context.Context, c customer) error {
		if len(before) > 0 {
			if err := l.do(ctx, before); err != nil {
				return err
			}
		}
		if err := sell(l, ctx, c); err != nil {
			return err
		}
		return l.do(ctx, after...)
	}
}

// words are commands of the script language, a line each; AMOUNT and CARD stand for
// the customer's. "present" goes through the card step with a swipe, "type" with the
// number typed, "through" goes on without a card, "see" searches what is shown.
func words(lines ...string) visit {
	return func(l *sieveLife, ctx context.Context, c customer) error {
		for _, line := range lines {
			v := world.Visit{Card: c.name, PIN: c.card.PIN, Cut: -1}
			var err error
			switch line {
			case "present":
				err = l.w.Present(ctx, v)
			case "type":
				v.Type = true
				err = l.w.Present(ctx, v)
			case "chip": // into the slot
				v.Chip = true
				err = l.w.Present(ctx, v)
			case "through":
				v.Call = true
				err = l.w.Through(ctx, v)
			case "see":
				l.see()
			case "idle": // a form that refused the card, or what it was for, is left
				err = l.idle(ctx)
			default:
				err = l.do(ctx, strings.Fields(strings.NewReplacer("AMOUNT", c.amount, "CARD", c.name).Replace(line)))
			}
			if err != nil {
				return fmt.Errorf("%s: %w", strings.ReplaceAll(line, "CARD", "the card"), err)
			}
		}
		return nil
	}
}

// period is after how many customers the visits come again.
const period = 97

// visits are the ways that are no plain sale, by the customer's number in a period.
var visits = map[int]visit{
	2: words("host answer lost", "host answer lost -mti 0400", "amount AMOUNT", "present", "see", "export", "host answer normal -mti all", "host answer normal",
		"clock advance 2m"), // while its reversal waits, the acquirer's desk takes what is open
	4:  between([]string{"host", "decline", "51", "-n", "1"}),
	5:  func(l *sieveLife, ctx context.Context, c customer) error { return l.sale(ctx, c, 7) },
	7:  func(l *sieveLife, ctx context.Context, c customer) error { return l.sale(ctx, c, len(c.card.PIN)) },
	8:  between(nil, []string{"crash"}),
	10: between([]string{"host", "answer", "late", "40s"}, []string{"host", "answer", "normal"}, []string{"clock", "advance", "3m"}),
	11: between(nil, []string{"power", "cut"}, []string{"power", "on"}),
	13: words("amount AMOUNT", "swipe CARD -quality lrc", "key cancel", "amount AMOUNT", "present"),
	14: words("amount AMOUNT", "type", "see", "idle"),
	16: voided,
	17: words("amount AMOUNT", "present", "txn refund last last 0.50", "present", "see", "idle"),
	19: words("txn preauth AMOUNT", "present", "see", "txn complete last last AMOUNT", "present", "see", "idle"),
	20: words("txn preauth AMOUNT", "present", "txn complete-advice last last AMOUNT", "present", "see", "idle"),
	22: words("txn preauth AMOUNT", "present", "txn preauth-void last last AMOUNT", "present", "see", "idle"),
	23: words("txn preauth AMOUNT", "present", "txn complete last last AMOUNT", "present", "txn complete-void last", "through", "see", "idle"),
	25: words("amount AMOUNT", "present", "key menu 7", "see", "key f1", "see", "key down", "see", "key f1", "key f4", "see", "key f4", "idle"),
	26: cutInside,
	28: words("txn balance", "present", "see", "idle"),
	29: func(l *sieveLife, ctx context.Context, c customer) error { // the issuer's word on the card
		status := []string{"lost", "stolen", "expired", "blocked", "refused"}[c.n/period%5]
		return words("card CARD status="+status, "amount AMOUNT", "present", "see", "idle")(l, ctx, c)
	},
	31: words("amount AMOUNT", "present", "amount AMOUNT", "swipe CARD", "see", "through", "idle"),
	32: (*sieveLife).cable,
	34: words("txn offline 30.00 123456", "present", "see", "clock advance 30s"),
	35: wrongPIN,
	37: words("line down", "amount AMOUNT", "present", "see", "line up", "clock advance 2m"),
	38: words("txn preauth AMOUNT", "type", "see", "idle"),
	40: words("card CARD chip=debit-online", "amount AMOUNT", "chip", "see", "idle"), // the issuer's PIN
	41: words("card CARD chip=debit", "amount AMOUNT", "chip", "see", "idle"),        // the card's, enciphered
	43: words("card CARD chip=plain-pin", "amount AMOUNT", "chip", "see", "idle"),    // and in clear
	44: words("card CARD chip=credit", "amount AMOUNT", "chip", "see", "idle"),       // a signature, or by itself
	46: words("card CARD chip=debit-t1", "host answer lost", "amount AMOUNT", "chip", "see", "host answer normal", "clock advance 2m"),
	47: words("card CARD chip=refuse-ac2", "amount AMOUNT", "chip", "see", "clock advance 1m"),
	49: func(l *sieveLife, ctx context.Context, c customer) error { // pulled out at some command
		at := []string{"select2", "record4", "verify", "genac1", "genac2:after"}[c.n/period%5]
		return words("card CARD chip=plain-pin", "amount AMOUNT", "insert CARD remove="+at, "through", "see", "idle")(l, ctx, c)
	},
	50: words("card CARD chip=debit-online service=220", "amount AMOUNT", "swipe CARD", "see", "insert CARD fault=select:mute", "clock advance 3s", "remove", "present", "see", "idle"),
	52: words("card CARD chip=debit-online", "txn preauth AMOUNT", "chip", "txn balance", "chip", "see", "idle"),
}

func voided(l *sieveLife, ctx context.Context, c customer) error {
	if err := sell(l, ctx, c); err != nil {
		return err
	}
	rows, err := l.w.Batch(ctx)
	if err != nil {
		return err
	}
	for _, r := range slices.Backward(rows) {
		if r.Kind == pos.KindSale && r.State == "" {
			return words("txn void "+r.STAN.String(), "through", "see", "idle")(l, ctx, c)
		}
	}
	return nil
}

// cutInside takes the power in the middle of a sale, each time at another point.
func cutInside(l *sieveLife, ctx context.Context, c customer) error {
	points := []string{"before-intent", "intent", "before-send", "sent", "answer", "outcome", "printing"}
	l.w.Arm(points[c.n/period%len(points)])
	if err := l.sale(ctx, c, -1); err != nil && l.w.Running() {
		return err
	}
	if l.w.Running() { // the sale never came to its point
		l.w.PowerCut()
	}
	return l.do(ctx, []string{"power", "on"}, []string{"clock", "advance", "2m"})
}

// wrongPIN keys another PIN than the card's: the host opens it, and says so.
func wrongPIN(l *sieveLife, ctx context.Context, c customer) error {
	if err := l.do(ctx, []string{"card", c.name, "pin=1379"}); err != nil {
		return err
	}
	return sell(l, ctx, c)
}

// cable is who comes with a cable in the middle of the day.
func (l *sieveLife) cable(ctx context.Context, c customer) error {
	if err := sell(l, ctx, c); err != nil {
		return err
	}
	who := []string{"technician", "engineer", "supervisor"}[c.n/period%3]
	if err := l.do(ctx, []string{"login", who}); err != nil {
		return err
	}
	for _, words := range []string{"log 60", "queue", "batch", "why", "recovery", "status", "logout"} {
		if _, err := l.w.Service(ctx, words); err != nil {
			return err
		}
	}
	l.x.Text("service cable", l.w.ServiceSaid())
	return nil
}

// do carries out commands; "export" is the acquirer's desk taking what is open.
func (l *sieveLife) do(ctx context.Context, commands ...[]string) error {
	for _, c := range commands {
		if c[0] == "export" {
			if err := l.export(ctx); err != nil {
				return err
			}
			continue
		}
		if err := l.w.Do(ctx, c[0], c[1:]...); err != nil {
			return fmt.Errorf("%s: %w", c[0], err)
		}
	}
	return nil
}

// export takes what of money is open out of the device and opens it, card numbers
// masked. The file stays in the world's folder and is searched with it.
func (l *sieveLife) export(ctx context.Context) error {
	l.exports++
	file := filepath.Join(l.w.Dir(), fmt.Sprintf("open-%d.recovery", l.exports))
	for _, args := range [][]string{{"recovery", "export", file}, {"recovery", "open", "--key", filepath.Join(l.w.DeskDir(), "recovery.key"), file}} {
		out, err := l.w.Postool(ctx, args...)
		if err != nil {
			return fmt.Errorf("postool %s: %w: %s", strings.Join(args[:2], " "), err, out)
		}
		l.x.Text("postool", out)
		if n, _, ok := strings.Cut(out, " records"); ok && strings.TrimSpace(n) != "0" {
			l.exported++
		}
	}
	b, err := os.ReadFile(file)
	l.x.Text("export", string(b))
	return err
}

// sale sells: the digits of the PIN are keyed up to cut, -1 all.
func (l *sieveLife) sale(ctx context.Context, c customer, cut int) error {
	return l.w.Shop(ctx, c.amount, c.name, c.card.PIN, cut)
}

// idle leaves whatever is still open on the screen.
func (l *sieveLife) idle(ctx context.Context) error {
	for range 6 {
		if v, _ := l.w.Panel.View(); v.Caption.Input == "amount" || v.Caption.Input == "ack" {
			return nil
		}
		if err := l.do(ctx, []string{"key", "cancel"}); err != nil {
			return err
		}
	}
	v, _ := l.w.Panel.View()
	return fmt.Errorf("%s cannot be left", v.Caption.Code)
}

// live is every customer's visit, with a look at everything on the way, and at the
// end posd ended as a bug would.
func (l *sieveLife) live(ctx context.Context, every int, began time.Time) error {
	if err := l.do(ctx, []string{"rules", "profile=hotel"}, []string{"board", "icc", "serial"}, []string{"board", "log", "upload=true", "upload_kb=256"}); err != nil { // where numbers may be typed
		return err
	}
	if err := l.w.Start(ctx); err != nil {
		return err
	}
	progress := progressTo(l.out)
	for i := range l.cards {
		if i == len(l.cards)/2|1 { // odd: never right behind a settlement, when there is no card to name
			if err := l.encrypt(ctx); err != nil {
				return err
			}
		}
		if err := l.customer(ctx, i); err != nil {
			return fmt.Errorf("customer %d: %w", i, err)
		}
		l.see()
		if (i+1)%every == 0 {
			if err := l.memory(ctx); err != nil {
				return err
			}
		}
		progress(i+1, len(l.cards), began)
	}
	// The reversals that wait, the day's end, a night with its copy.
	if err := l.do(ctx, []string{"clock", "advance", "2m"}, []string{"txn", "settle"}, []string{"clock", "advance", "70m"}, []string{"clock", "set", "03:30"},
		[]string{"clock", "advance", "11m"}); err != nil {
		return err
	}
	l.see()
	if err := l.ask(ctx); err != nil {
		return err
	}
	if err := l.memory(ctx); err != nil {
		return err
	}
	if err := l.count(); err != nil {
		return err
	}
	if err := l.w.Abort(); err != nil {
		return err
	}
	l.x.Text("log and stacks", strings.Join(l.w.Log(), "\n"))
	cores, _ := filepath.Glob(filepath.Join(l.w.Dir(), "*core*"))
	here, _ := filepath.Glob("core*")
	l.r.Core = len(cores)+len(here) > 0
	return l.x.Tree(l.w.Dir(), func(path string) string {
		top, _, _ := strings.Cut(path, string(filepath.Separator))
		if top == uploadsDir {
			return "upload of the log"
		}
		if top == "data" {
			return "file " + number.ReplaceAllString(path, "*")
		}
		return "bench files"
	})
}

// encrypt has the acquirer want tracks under a track key from now on; and a quarter
// of a year passes on the clock, so that every card in the store gets a new name,
// for which its number is unsealed.
func (l *sieveLife) encrypt(ctx context.Context) error {
	return l.do(ctx, []string{"clock", "advance", "2m"}, []string{"power", "cut"}, []string{"profile", "keys=004", "encrypt_tracks=true"}, []string{"clock", "step", "2200h"}, []string{"power", "on"},
		[]string{"txn", "signon"}, []string{"clock", "advance", "10s"})
}

// customer is one visit.
func (l *sieveLife) customer(ctx context.Context, i int) error {
	c := customer{n: i, card: l.cards[i], name: fmt.Sprint("s", i), amount: fmt.Sprintf("%d.%02d", 1+i/100%400, i%100)}
	if err := l.do(ctx, []string{"card", c.name, "pan=" + c.card.PAN, "pin=" + c.card.PIN, "track2=" + c.card.Track2, "track1=" + c.card.Track1}); err != nil {
		return err
	}
	if l.w.CardIn() { // one that was to be pulled at a command that its card did without
		if err := l.do(ctx, []string{"remove"}); err != nil {
			return err
		}
	}
	way, ok := visits[i%period]
	if !ok {
		way = sell
	}
	if err := way(l, ctx, c); err != nil {
		return fmt.Errorf("visit %d: %w", i%period, err)
	}
	l.r.Visits++
	if i%400 == 399 {
		return l.do(ctx, []string{"txn", "settle"}, []string{"clock", "advance", "1m"})
	}
	return nil
}

// count adds up what was lived, by what the host knows; what should have happened
// and did not is a fault of the run: it would have proved less than it says.
func (l *sieveLife) count() error {
	lived := map[string]int{}
	for _, k := range []string{acquirer.KindSale, acquirer.KindVoid, acquirer.KindRefund, acquirer.KindPreauth, acquirer.KindPreauthVoid, acquirer.KindComplete,
		acquirer.KindCompleteAdvice, acquirer.KindCompleteVoid, acquirer.KindBalance, acquirer.KindOffline, acquirer.KindReversal, "declined", "typed", "chip"} {
		lived[k] = 0
	}
	for _, e := range l.w.Host.Books() {
		switch {
		case !e.Booked && e.Kind != acquirer.KindBalance:
			lived["declined"]++
		default:
			lived[e.Kind]++
		}
		switch {
		case strings.HasPrefix(e.Mode, "01"):
			lived["typed"]++
		case strings.HasPrefix(e.Mode, "05"):
			lived["chip"]++
		}
	}
	lived["rotation"] = 0
	for _, line := range l.w.Log() {
		if strings.Contains(line, `"E-KEY-01"`) {
			lived["rotation"]++
		}
	}
	lived["export with records"] = l.exported
	lived["settlement"] = l.w.Host.Seen("0500")
	said, err := l.w.Ask("checks")
	if err != nil {
		return err
	}
	for line := range strings.Lines(said) {
		f := strings.Fields(line)
		n, err := strconv.Atoi(f[len(f)-1])
		if err != nil {
			return err
		}
		lived[strings.Join(f[:len(f)-1], " ")] = n
	}
	l.r.Lived = lived
	if len(l.cards) < period {
		return nil
	}
	for k, n := range lived {
		if n == 0 {
			return fmt.Errorf("the life had no %s", k)
		}
	}
	return nil
}

// see searches the screen and the slips that came since.
func (l *sieveLife) see() {
	v, _ := l.w.Panel.View()
	if t := strings.Join(v.Caption.Lines, "\n"); t != l.last {
		l.x.Text("screens", t)
		l.last = t
	}
	for ; l.slips < len(v.Slips) && v.Slips[l.slips].Whole; l.slips++ {
		for _, line := range v.Slips[l.slips].Lines {
			l.x.Text("slips", line.Text)
		}
	}
}

// memory searches posd's memory, once nothing is under way.
func (l *sieveLife) memory(ctx context.Context) error {
	if err := l.w.Advance(ctx, 15*time.Second); err != nil { // the line closes, the cards are forgotten
		return err
	}
	err := l.x.Memory("memory", l.w.Pid())
	if errors.Is(err, sieve.ErrMemory) {
		l.r.NoMemory = err.Error()
		return nil
	}
	l.r.Memory++
	return err
}

// ask has the service cable, postool, the acquirer and the page say what they can.
func (l *sieveLife) ask(ctx context.Context) error {
	for _, who := range []string{"technician", "engineer", "supervisor"} {
		if err := l.do(ctx, []string{"login", who}); err != nil {
			return err
		}
		asks := []string{"status", "queue", "batch", "log 400", "check", "why", "page why", "page spot", "page keys", "rules", "recovery", "restore", "logout"}
		if who != "technician" { // who reads the same in the same words
			asks = []string{"log 40", "recovery", "logout"}
		}
		for _, words := range asks {
			if _, err := l.w.Service(ctx, words); err != nil {
				return err
			}
		}
	}
	l.x.Text("service cable", l.w.ServiceSaid())
	for _, args := range [][]string{{"status"}, {"status", "--json"}, {"queue"}, {"queue", "--json"}, {"batch"}, {"batch", "--json"}, {"log"}, {"log", "--json", "-n", "2000"},
		{"why"}, {"alerts"}, {"limits"}, {"seals"}, {"page", "why"}, {"page", "spot"}, {"page", "keys"}, {"check"}, {"tx", "2"}} {
		out, _ := l.w.Postool(ctx, args...) // a refusal is an answer too
		l.x.Text("postool", out)
	}
	if err := l.export(ctx); err != nil {
		return err
	}
	if err := l.upload(ctx); err != nil {
		return err
	}
	for _, words := range []string{"books", "findings", "cards", "status", "checks"} {
		out, err := l.w.Ask(words)
		if err != nil {
			return err
		}
		l.x.Text("acquirer", out)
	}
	d := &onPage{w: l.w, ctx: ctx}
	for _, v := range []any{d.Snapshot(), d.Paper()} {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		l.x.Text("page", string(b))
	}
	for _, c := range l.w.Cards() {
		l.x.Text("page", fmt.Sprintf("%v %+v", c, c))
	}
	return nil
}

// scripts plays two short scripts with the first card, one of which fails at its PIN,
// and searches what posbench run says of them.
func (l *sieveLife) scripts(ctx context.Context, s shared, dir string) error {
	c := l.cards[0]
	text := fmt.Sprintf("start\ncard mine pan=%s pin=%s track2=%s track1=%s\namount 12.80\nswipe mine\npin %s\nclock advance 1m\n", c.PAN, c.PIN, c.Track2, c.Track1, c.PIN)
	keyed := "key " + strings.Join(strings.Split(c.PIN, ""), " ")
	for name, more := range map[string]string{"passes": "batch -for 1s 1\n", "fails": "pin " + c.PIN + "\n", "keys": keyed + "\n" + keyed + " nokey\n"} {
		file := filepath.Join(dir, name+".txtar")
		if err := os.WriteFile(file, []byte(text+more), 0o600); err != nil {
			return err
		}
		r := play(ctx, s, file, false)
		os.Remove(file)
		b, err := json.Marshal(r)
		if err != nil {
			return err
		}
		l.x.Text("posbench run", reported(r, true)+string(b))
	}
	return nil
}
