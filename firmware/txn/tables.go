package txn

import "swipewell/ui/prompt"

// TableSort is one of the two tables for chip cards.
type TableSort uint8

const (
	NoTable  TableSort = iota
	KeyTable           // keys of certification authorities: 372, 370, 371
	AppTable           // applications: 382, 380, 381
)

// Net is the network code, DE 60.3, of a step. HOST §1.3.
func (s TableSort) Net(step TablesStep) string {
	tens := "37"
	if s == AppTable {
		tens = "38"
	}
	return tens + map[TablesStep]string{TablesList: "2", TablesGet: "0", TablesEnd: "1"}[step]
}

// TablesStep is where a download stands.
type TablesStep uint8

const (
	NoTables   TablesStep = iota
	TablesList            // the host lists what it has, page by page
	TablesGet             // a record at a time
	TablesEnd             // the table is in force; the host is told
)

// maxPage of a list: its number has two digits.
const maxPage = 99

// TablesRun is a download under way. The list and the records lie with the loop.
type TablesRun struct {
	Of      TableSort
	Step    TablesStep
	Page    int
	N, M    int  // records asked for, of so many
	Got     int  // records taken, of both tables
	Refused int  // likewise
	Apps    bool // the applications are wanted
	Ordered bool // by the host
	Ask     bool // the next message waits for the line
	Quit    bool // a person wants it to end
}

// TablesFacts is what the loop found in an answer.
type TablesFacts struct {
	Bad     bool // the list cannot be read, or is longer than any that there is
	Endless bool // a page of a list said that there is more, and had nothing new
	More    bool // the list has another page
	Want    int  // the list is complete: so many records must be fetched
	Got     bool // the record is in order
	Refused int  // entries of the list, or the record, that are not: each is in the log
}

// SendTables sends one message of a download; it ends as TablesDone. KeepTable
// keeps the record that came, for when the table is whole; PutTables puts the
// table in force: what came, without what the host no longer lists.
type (
	SendTables struct {
		Of   TableSort
		Step TablesStep
		Page int
		N    int // which of the records that are wanted, from 0
	}
	KeepTable struct{ Of TableSort }
	PutTables struct{ Of TableSort }
)

func (SendTables) effect() {}
func (KeepTable) effect()  {}
func (PutTables) effect()  {}

// fetchTables begins a download: keys, then applications, as wanted.
func (m *machine) fetchTables(keys, apps bool) {
	m.Tables = TablesRun{Of: KeyTable, Step: TablesList, Apps: apps, Ask: true}
	if !keys {
		m.Tables.Of = AppTable
	}
	m.showTables()
	m.disarm()
}

func (m *machine) showTables() {
	a := prompt.Args{Kind: map[TableSort]prompt.Code{KeyTable: prompt.TablesKeys, AppTable: prompt.TablesApps}[m.Tables.Of]}
	if m.Tables.Step == TablesGet { // the record that is asked for, from 1
		a.N, a.Seconds = m.Tables.N+1, m.Tables.M
	}
	m.show(Fetching, prompt.TablesRun, a)
	if m.Tables.Quit {
		m.Note = prompt.TablesQuit
	}
}

// keyTables: cancel ends it, once the message under way has had its answer.
func (m *machine) keyTables(k Key) {
	if k == "cancel" && !m.Tables.Quit {
		m.Tables.Quit = true
		m.showTables()
	}
}

// pumpTables asks for the next message. What is due of money goes before it.
func (m *machine) pumpTables() {
	if m.Tables.Quit {
		m.endTables(prompt.TablesStopped, "")
		return
	}
	t := &m.Tables
	t.Ask, m.Work = false, WorkTables
	m.do(SendTables{Of: t.Of, Step: t.Step, Page: t.Page, N: t.N})
}

func (m *machine) tablesDone() {
	if m.Work != WorkTables {
		return
	}
	m.Work = WorkNone
	r, f, t := m.e.Reply, m.e.Tables, &m.Tables
	m.told(r)
	answered := r.Kind == Answered && r.RC == "00"
	t.Refused += f.Refused
	switch {
	case m.Phase != Fetching: // halted meanwhile
		*t = TablesRun{}
	case t.Step == TablesEnd: // the table is in force, whatever the host heard
		m.tableEnded()
	case !answered && (t.Step != TablesGet || r.Kind != Answered):
		m.tablesFailed(r)
	case t.Step == TablesGet:
		t.N++
		if f.Got {
			t.Got++
		}
		switch {
		case t.N >= t.M:
			m.putTables()
		case f.Got:
			m.do(KeepTable{Of: t.Of})
		}
		m.askTables()
	case f.Endless, f.More && t.Page >= maxPage:
		m.endTables(prompt.TablesEndless, "")
	case f.Bad:
		m.endTables(prompt.TablesBad, "")
	case f.More:
		t.Page++
		m.askTables()
	default:
		t.Step, t.N, t.M = TablesGet, 0, f.Want
		if f.Want == 0 {
			m.putTables()
		}
		m.askTables()
	}
}

// askTables lets the next message go when the line is free.
func (m *machine) askTables() {
	m.Tables.Ask = true
	m.showTables()
}

func (m *machine) putTables() {
	m.do(PutTables{Of: m.Tables.Of})
	m.Tables.Step = TablesEnd
}

// tableEnded goes on with the applications, or says how it went.
func (m *machine) tableEnded() {
	t := &m.Tables
	if t.Of == KeyTable && t.Apps {
		*t = TablesRun{Of: AppTable, Step: TablesList, Got: t.Got, Refused: t.Refused, Quit: t.Quit, Ordered: t.Ordered}
		m.askTables()
		return
	}
	c := prompt.TablesDone
	if t.Refused > 0 {
		c = prompt.TablesPartly
	}
	m.endTables(c, "")
}

// tablesFailed: the tables in force stay; the records that came are kept for the
// next time.
func (m *machine) tablesFailed(r Reply) {
	switch {
	case r.Kind == Answered:
		m.endTables(prompt.Declined(string(r.RC)), string(r.RC))
	case r.Code != "":
		m.endTables(r.Code, "")
	default:
		m.endTables(prompt.NetHostSilent, "")
	}
}

func (m *machine) endTables(c prompt.Code, rc string) {
	t := m.Tables
	m.Tables = TablesRun{}
	m.Wanted.Skip = t.Ordered && c != prompt.TablesDone && c != prompt.TablesPartly
	m.show(Result, c, prompt.Args{RC: rc, N: t.Got, Seconds: t.Refused})
	m.do(Sound{toneOf(c == prompt.TablesDone)})
	m.log(prompt.LogTables, m.Durable.Open.ID, func(l *Log) { l.Why, l.N, l.Text = c, t.Got, t.Of.String() })
}

// String is the word of the log.
func (s TableSort) String() string { return [...]string{"", "keys", "apps"}[min(s, AppTable)] }
