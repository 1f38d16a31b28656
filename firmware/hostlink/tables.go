package hostlink

import "swipewell/firmware/txn"

// Tables packs a message of the download of tables for chip cards: 0820/372 and
// 382 ask for a page of the list (DE 62: 1nn), 0800/370 and 380 for a record (DE
// 62: its name as data objects), 0800/371 and 381 end it. It has no STAN. HOST §1.3.
func (l *Line) Tables(of txn.TableSort, step txn.TablesStep, de62 []byte) Request {
	r := l.admin(0x0800, 0, of.Net(step), de62)
	if step == txn.TablesList {
		r = l.admin(0x0820, 0, of.Net(step), de62)
	}
	r.want.table = true
	return r
}
