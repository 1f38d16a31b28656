package txn

import (
	"fmt"
	"time"

	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// Custody is a master key that its custodians are entering, each a part, each
// another person. What they key stays with the terminal and the key store; this
// step hears how much there is, and the check values. X9.24-1:2017 §7.4.
type Custody struct {
	Of, Part int             // parts in all, 0: nobody is entering one; the one at hand, from 1; 0: the whole key
	Who      [MaxParts]uint8 // custodians so far
	Step     custodyStep
	Digits   int // keyed so far
	Wrong    int // wrong check values of this part
}

type custodyStep uint8

const (
	custodyKeys  custodyStep = iota // a part or a check value is being keyed
	custodyTaken                    // the check value of a part is shown
	custodyWrong                    // it was not the one on the letter
)

const (
	// MaxParts of a key.
	MaxParts = 3
	// partTime is how long a custodian may look for the next key.
	partTime = 3 * time.Minute
	// maxWrongChecks of one part: then nothing of the key is kept.
	maxWrongChecks = 3
)

// custody begins: nothing of an earlier attempt counts.
func (m *machine) custody(of int) {
	m.Custody = Custody{Of: of}
	m.Page = NoPage
	m.do(DropParts{})
	m.log(prompt.LogCustody, m.Durable.Open.ID, func(l *Log) { l.N, l.Text = of, "begun" })
	m.nextCustodian("")
}

// nextCustodian asks for a person who has entered no part yet; why is what was
// wrong with the last one.
func (m *machine) nextCustodian(why prompt.Code) {
	part := 1
	for part <= m.Custody.Of && m.Custody.Who[part-1] != 0 {
		part++
	}
	m.Custody.Part, m.Custody.Wrong, m.Custody.Digits = part, 0, 0
	m.Args = m.partArgs()
	m.name(ForCustody, throttle.PIN)
	if m.Phase != Naming {
		return // names are closed for a while; it has said so
	}
	m.Note, m.NoteArgs = prompt.KeyCustodian, m.partArgs()
	if why != "" {
		m.Note, m.NoteArgs = why, prompt.Args{}
		m.do(Sound{ToneBad})
	}
}

func (m *machine) partArgs() prompt.Args {
	return prompt.Args{N: m.Custody.Part, Field: fmt.Sprintf("%d/%d", m.Custody.Part, m.Custody.Of)}
}

// has tells whether a person has entered a part already.
func (c Custody) has(who int) bool {
	for _, w := range c.Who {
		if w != 0 && int(w) == who {
			return true
		}
	}
	return false
}

// custodian is the person whose PIN was right: their part is next.
func (m *machine) custodian(who int) {
	m.Custody.Who[m.Custody.Part-1] = uint8(who)
	m.readPart()
}

// readPart lets the custodian key their part, unseen.
func (m *machine) readPart() {
	m.Custody.Step, m.Custody.Digits = custodyKeys, 0
	a := m.partArgs()
	a.N = 0
	m.show(Loading, prompt.KeyPart, a)
	m.arm(partTime)
	m.do(ReadPart{Part: m.Custody.Part})
}

// partDone is the end of a part and of its check value.
func (m *machine) partDone() {
	c := &m.Custody
	if m.Phase != Loading || c.Step != custodyKeys || c.Part == 0 || m.e.N != c.Part {
		return
	}
	a := m.partArgs()
	a.Field, a.Left = m.e.Check, a.Field
	who := int(c.Who[c.Part-1])
	switch {
	case m.e.OK:
		c.Step = custodyTaken
		m.log(prompt.LogCustody, m.Durable.Open.ID, func(l *Log) { l.N, l.Text = who, fmt.Sprintf("part-%d %s", c.Part, m.e.Check) })
		m.show(Loading, prompt.KeyPartTaken, a)
		m.do(Sound{ToneGood})
	case m.e.Code == prompt.KeyPartWrong && c.Wrong+1 < maxWrongChecks:
		c.Step = custodyWrong
		c.Wrong++
		m.log(prompt.LogCustody, m.Durable.Open.ID, func(l *Log) { l.Why, l.N = m.e.Code, who })
		m.show(Loading, m.e.Code, m.partArgs())
		m.do(Sound{ToneBad})
	default:
		m.endCustody(m.e.Code)
		return
	}
	m.arm(partTime)
}

// keyLoading: what is keyed goes past this step; enter goes on from what is shown.
func (m *machine) keyLoading(k Key) {
	c := &m.Custody
	switch {
	case k == "cancel":
		m.endCustody(prompt.KeyGivenUp)
	case k != "enter" || c.Step == custodyKeys:
	case c.Step == custodyWrong:
		m.readPart()
	case c.Part < c.Of:
		m.nextCustodian("")
	default:
		c.Part, c.Step, c.Digits = 0, custodyKeys, 0
		m.show(Loading, prompt.KeyWhole, prompt.Args{})
		m.arm(partTime)
		m.do(ReadPart{Part: 0})
	}
}

// keyDone: the parts were put together under the check value of the whole key, or
// they are forgotten and the old key stays. A new one ends the session; a sign-on
// under it follows.
func (m *machine) keyDone() {
	if m.Phase != Loading || m.Custody.Part != 0 {
		return
	}
	if !m.e.OK {
		m.endCustody(m.e.Code)
		return
	}
	who := m.Custody.Who
	m.Custody = Custody{}
	m.NoKey = false
	m.keysOff()
	m.WantSignOn = true
	m.log(prompt.LogCustody, m.Durable.Open.ID, func(l *Log) { l.N, l.Text = int(who[0]), fmt.Sprintf("taken %s", m.e.Check) })
	m.do(Vouch{What: "seal.key", Text: fmt.Sprintf("%s %02d %02d", m.e.Check, who[0], who[1]), By: who[0]})
	m.idle()
	m.show(Result, prompt.KeyTaken, prompt.Args{Field: m.e.Check})
	m.do(Sound{ToneGood})
}

// endCustody: nothing of the key is kept, and the old one stays.
func (m *machine) endCustody(why prompt.Code) {
	m.log(prompt.LogCustody, m.Durable.Open.ID, func(l *Log) { l.Why, l.N, l.Text = why, m.Custody.Part, "not taken" })
	m.idle()
	if m.NoKey {
		m.Note = why // below what the device lacks
	} else {
		m.show(Result, why, prompt.Args{})
	}
	m.do(Sound{ToneBad})
}

// dropCustody forgets what was entered, whatever ends it.
func (m *machine) dropCustody() {
	if m.Custody.Of == 0 {
		return
	}
	m.Custody = Custody{}
	m.do(StopReading{})
	m.do(DropParts{})
}
