package care

// Drill is a walk through the contingency plan, step by step, with the time it
// took. It moves no money and switches nothing off. THROTTLE §1 S25.
type Drill struct {
	At    int64 `json:"at"`
	By    uint8 `json:"by"`
	Case  int   `json:"case"` // of Cases, from 0
	Step  int   `json:"step"`
	Took  int64 `json:"took"` // seconds, when it was done
	Open  bool  `json:"-"`
	Fails int   `json:"fails"` // steps that could not be done
}

// Cases of the plan.
var Cases = [...]string{"run.line", "run.host", "run.power", "run.twice", "run.tamper"}

// DrillSteps is how many steps each has.
const DrillSteps = 4

// Begin starts a case.
func (d *Drill) Begin(c int, wall int64, by uint8) { *d = Drill{At: wall, By: by, Case: c, Open: true} }

// Answer takes a person's word on a step; done tells that it was the last.
func (d *Drill) Answer(ok bool, wall int64) (done bool) {
	if !d.Open {
		return false
	}
	if !ok {
		d.Fails++
	}
	if d.Step++; d.Step < DrillSteps {
		return false
	}
	d.Open, d.Took = false, max(wall-d.At, 0)
	return true
}

// Runbook is the plan, or the drill that is under way. links and host say how the
// device stands now: keys of texts.
func (d Drill) Page(last []Drill, links []Line) (page []Line) {
	if d.Open {
		page = append(page, say("drill.head", "@"+Cases[d.Case], num(d.Step+1), num(DrillSteps)))
		for i := range DrillSteps {
			key := "drill.todo"
			switch {
			case i < d.Step:
				key = "drill.did"
			case i == d.Step:
				key = "drill.now"
			}
			page = append(page, say(key, num(i+1), "@"+Cases[d.Case]+"."+num(i+1)))
		}
		return append(page, say("drill.keys"))
	}
	page = append(page, links...)
	for c, key := range Cases {
		page = append(page, say("run.case", num(c+1), "@"+key))
		for i := range DrillSteps {
			page = append(page, say("run.step", "@"+key+"."+num(i+1)))
		}
		for _, x := range last {
			if x.Case == c {
				page = append(page, say("drill.last", date(x.At), num(int(x.Took)), num(x.Fails)))
			}
		}
	}
	return append(page, say("drill.begin"))
}
