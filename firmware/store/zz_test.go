package store
import ("testing";"swipewell/firmware/pos")
func TestZZ(t *testing.T){
	s := open(t, t.TempDir(), Opts{})
	for n := pos.STAN(1); n <= 12; n++ {
	row := sale(n)
	printed := row
	printed.Printed = true
	for i, c := range []Change{
		{State: testState(int(n)), PutReversal: []pos.Reversal{reversal(n, pos.RecordArmed)}},
		{State: testState(int(n)), DropReversal: []pos.RecordID{row.RecordID}, PutSale: []pos.Sale{row}},
		{State: testState(int(n)), PutSale: []pos.Sale{printed}},
	} {
		a,_ := written(); s0 := s.db.Stats()
		_,x0:=s.Stats()
		commit(t,s,c)
		_,x1:=s.Stats()
		b,_ := written(); s1 := s.db.Stats()
		d:=s1.TxStats.Sub(&s0.TxStats)
		if (b-a)!= x1-x0 {
		t.Log(n, i, (b-a)/4096,(x1-x0)/4096, d.GetPageAlloc()/4096, d.GetPageCount(), d.GetWrite(), d.GetSpill(), d.GetSplit())
		}
	}
	}
}
