package acquirer

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"swipewell/firmware/pos"
)

// Usage lists the words of Command.
const Usage = `up | down                          the listener; down also cuts the connections
answer normal|lost|late D|duplicate|wrong-stan|bad-mac|garbage|mangle|silent [-mti MTI] [-n N]
                                   stays until changed, or for N requests; without -mti for 01xx and 02xx.
                                   MTI may have x for any digit; "answer normal" also ends declines
decline RC|off [-mti MTI] [-n N]   answers RC and books nothing
approve RC [AMOUNT] [-mti MTI] [-n N]  approves with 10, 11, A2, A4, A5 or A6; with AMOUNT only so much (10)
settle normal|balanced|unbalanced|error|swapped [-n N]  what a 0510 says of the totals
param CODE=VALUE…                  what a parameter download is told, as 12=45
tables normal|page N|drop NAME|floor AID MINOR|checksum|tag|expired|missing|endless|garbage [NAME]
                                   the tables for chip cards: what is listed, and lies about one record or all
logs | logs save DIR | logs clear  what terminals have sent of their logs, as JSON lines; the whole ones as files
order DIGIT                        the next answer's header carries this processing requirement (2 status, 3 sign on again, 4 keys, 5 applications for chips)
issuer arpc right|wrong|none [-n N]    what proves the issuer to a chip, until changed or for N answers
issuer approve [RC] | decline RC [-n N]  the issuer's word on chips, whatever is wrong with them
issuer script WHAT [71|72]         goes with the next answer to a chip, before or behind (72) the last cryptogram; WHAT is
                                   block, unblock, card-block, pin-unblock, pin-change DIGITS, put-data TAG=HEX,
                                   update-record SFI.N=HEX or bad-mac; off forgets those that did not go
issuer normal                      all of this as at the start
undo STAN                          a clerk takes the booking of this trace number back by hand, once
keys                               forgets all session keys: the next request is answered A0
keys corrupt|check|short|weak|normal [-n N]  spoils DE 62 of sign-ons: a bit of a key, of a check value, the
                                   length, a key of zeros; stays until changed, or for N sign-ons
text WORDS…                        a text for DE 63, until changed
card NAME field=value…             makes or changes a test card
sees MTI | mark                    requests with this MTI since the mark
books | findings | cards | status  what there is, as JSON lines
checks                             how many MACs were right, PIN blocks and tracks opened`

// Command carries out one command: the words after "host" in a script, or one
// line of hostsim's input. A leading name of this host is skipped.
func (h *Host) Command(args ...string) (string, error) {
	if len(args) > 0 && h.o.Name != "" && args[0] == h.o.Name {
		args = args[1:]
	}
	if len(args) == 0 {
		return "", fmt.Errorf("acquirer: no command; these there are:\n%s", Usage)
	}
	h.mu.Lock()
	h.note(Event{What: "command", Detail: args[0] + " " + quiet(args)})
	h.mu.Unlock()
	defer h.flush()
	word, rest := args[0], args[1:]
	switch word {
	case "up":
		return "", h.Up()
	case "down":
		h.Down()
		return "", nil
	case "help":
		return Usage, nil
	case "card":
		if len(rest) == 0 {
			return "", fmt.Errorf("acquirer: card NAME field=value…")
		}
		return "", h.DefineCard(rest[0], rest[1:]...)
	case "sees":
		if len(rest) != 1 {
			return "", fmt.Errorf("acquirer: sees MTI")
		}
		return strconv.Itoa(h.Seen(rest[0])), nil
	case "mark":
		h.Mark()
		return "", nil
	case "books":
		return lines(h.Books())
	case "findings":
		return lines(h.AllFindings())
	case "cards":
		return lines(h.Cards())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch word {
	case "answer":
		return "", h.commandAnswer(rest)
	case "decline", "approve":
		return "", h.commandDecide(word, rest)
	case "settle":
		return "", h.commandSettle(rest)
	case "param":
		return "", h.commandParam(rest)
	case "logs":
		return h.commandLogs(rest)
	case "tables":
		return "", h.commandTables(rest)
	case "order":
		if len(rest) != 1 || len(rest[0]) != 1 || rest[0] < "0" || rest[0] > "9" {
			return "", fmt.Errorf("acquirer: order DIGIT")
		}
		h.headerOrder = rest[0][0] - '0'
	case "undo":
		if len(rest) != 1 {
			return "", fmt.Errorf("acquirer: undo STAN")
		}
		n, err := strconv.ParseUint(rest[0], 10, 20)
		if err != nil {
			return "", fmt.Errorf("acquirer: undo %q: not a trace number", rest[0])
		}
		return "", h.undo(pos.STAN(n))
	case "keys":
		return "", h.commandKeys(rest)
	case "issuer":
		return "", h.commandIssuer(rest)
	case "checks":
		return h.checks.String(), nil
	case "text":
		s := strings.Join(rest, " ")
		if len(s) > 60 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
			return "", fmt.Errorf("acquirer: text takes up to 60 characters of ASCII")
		}
		h.text = s
	case "status":
		return h.status(), nil
	default:
		return "", fmt.Errorf("acquirer: no command %q; these there are:\n%s", word, Usage)
	}
	return "", nil
}

// quiet is a command for the log: a card's fields may hold a number or a PIN, and so may
// a script.
func quiet(args []string) string {
	switch args[0] {
	case "card":
		args = args[:min(2, len(args))]
	case "issuer":
		args = args[:min(3, len(args))]
	}
	return strings.Join(args[1:], " ")
}

func (h *Host) commandAnswer(args []string) error {
	rest, o, err := flags(args)
	if err != nil {
		return err
	}
	if len(rest) == 0 || !answers[rest[0]] {
		return fmt.Errorf("acquirer: answer normal|lost|late D|duplicate|wrong-stan|bad-mac|garbage|mangle|silent [-mti MTI] [-n N]")
	}
	o.how = rest[0]
	rest = rest[1:]
	if o.how == answerLate {
		if len(rest) == 0 {
			return fmt.Errorf("acquirer: answer late needs a duration")
		}
		if o.delay, err = time.ParseDuration(rest[0]); err != nil || o.delay < 0 {
			return fmt.Errorf("acquirer: answer late %s: not a duration", rest[0])
		}
		rest = rest[1:]
	}
	if len(rest) > 0 {
		return fmt.Errorf("acquirer: answer %s: what is %q?", o.how, rest[0])
	}
	if o.how == answerNormal {
		h.decisions.give(order{mtis: o.mtis, how: answerNormal})
	}
	h.manners.give(o)
	return nil
}

// approving are the codes by which a request counts as approved. HOST §2.
var approving = map[string]bool{"00": true, "10": true, "11": true, "A2": true, "A4": true, "A5": true, "A6": true}

func (h *Host) commandDecide(word string, args []string) error {
	rest, o, err := flags(args)
	if err != nil {
		return err
	}
	if len(rest) == 1 && rest[0] == "off" {
		h.decisions.give(order{mtis: o.mtis, how: answerNormal})
		return nil
	}
	if len(rest) == 0 || len(rest[0]) != 2 || strings.ContainsFunc(rest[0], notLetter) {
		return fmt.Errorf("acquirer: %s RC [-mti MTI] [-n N]", word)
	}
	o.rc = strings.ToUpper(rest[0])
	switch {
	case word == "decline" && approving[o.rc]:
		return fmt.Errorf("acquirer: %s approves; a host that says so and books nothing is no host: see approve", o.rc)
	case word == "approve" && !approving[o.rc]:
		return fmt.Errorf("acquirer: %s does not approve; see decline", o.rc)
	case word == "approve" && len(rest) == 2:
		a, err := pos.ParseAmount(rest[1])
		if err != nil {
			return fmt.Errorf("acquirer: approve: %w", err)
		}
		o.amount = a.Minor
	case len(rest) > 1:
		return fmt.Errorf("acquirer: %s %s: what is %q?", word, o.rc, rest[1])
	}
	h.decisions.give(o)
	return nil
}

// status says what stands; the caller holds mu.
func (h *Host) status() string {
	var s []string
	listening := "down"
	if h.ln != nil {
		listening = "up"
	}
	s = append(s, listening+" "+h.addr)
	for _, o := range h.manners {
		s = append(s, "answer "+o.String())
	}
	for _, o := range h.decisions {
		if o.rc != "" {
			s = append(s, "decide "+o.String())
		}
	}
	mtis := make([]string, 0, len(h.seen))
	for mti := range h.seen {
		mtis = append(mtis, mti)
	}
	sort.Strings(mtis)
	for _, mti := range mtis {
		s = append(s, fmt.Sprintf("seen %s %d", mti, h.seen[mti]))
	}
	return strings.Join(append(s, fmt.Sprintf("books %d, findings %d", len(h.books.entries), len(h.findings))), "\n")
}

func lines[T any](rows []T) (string, error) {
	var s strings.Builder
	for _, r := range rows {
		b, err := json.Marshal(r)
		if err != nil {
			return "", fmt.Errorf("acquirer: %w", err)
		}
		s.Write(append(b, '\n'))
	}
	return s.String(), nil
}
