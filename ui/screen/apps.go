package screen

import (
	"strings"

	"swipewell/ui/font"
)

// apps are the lines of a list in Page, and which of them is chosen: its line
// begins with "> ", others with two blanks. EMV 4.3 Book 1 §12.4.
func (p *page) apps() (items []string, at int) {
	for line := range strings.SplitSeq(p.Page, "\n") {
		if strings.HasPrefix(line, "> ") {
			at = len(items)
		}
		items = append(items, strings.TrimSpace(strings.TrimPrefix(line, "> ")))
	}
	return items, at
}

// window is which of n items show where fit have room: the chosen one and its
// neighbours.
func window(n, at, fit int) (from, to int) {
	from = max(min(at-fit/2, n-fit), 0)
	return from, min(from+fit, n)
}

// sayApp is an item as the caption has it.
func (p *page) sayApp(item string, chosen bool) {
	if chosen {
		item = "> " + item
	}
	p.say(item)
}

// appList draws what there is to choose from on the card.
func (p *page) appList(y, foot int) {
	const pitch = 26
	items, at := p.apps()
	next := p.next()
	from, to := window(len(items), at, max((foot-next.h-y-6)/pitch, 1))
	top := y + 3
	for i := from; i < to; i++ {
		on := ink
		if i == at {
			p.round(4, top, p.w-4, top+pitch-1, chosen)
			on = white
		}
		p.text(margin, top+(pitch-17)/2, font.WrapTitle(items[i], (p.w-2*margin)/8)[0], small, on)
		p.sayApp(items[i], i == at)
		top += pitch
	}
	if h := foot - next.h - y - 8; to-from < len(items) {
		p.fill(p.w-3, y+4, p.w-1, y+4+h, line)
		p.fill(p.w-3, y+4+h*from/len(items), p.w-1, y+4+h*to/len(items), muted)
	}
	next.draw(foot - next.h)
}

// monoApps shows the chosen item with its neighbours.
func (p *page) monoApps() {
	items, at := p.apps()
	from, to := window(len(items), at, monoRows)
	y := barH
	for i := from; i < to; i++ {
		on := lit
		if i == at {
			p.fill(0, y, p.w, y+16, lit)
			on = dark
		}
		p.text(0, y, font.WrapTitle(items[i], p.w/8)[0], small, on)
		p.sayApp(items[i], i == at)
		y += 16
	}
}
