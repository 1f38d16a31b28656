package smp

import (
	"io"
	"maps"
	"slices"
)

func (s *Server) images(*query) (object, error) {
	if s.Images == nil {
		return nil, errNone
	}
	list, err := s.Images.State()
	if err != nil {
		return nil, err
	}
	rows := []object{}
	for _, i := range list {
		row := object{"slot": i.Slot, "version": i.Version, "bootable": i.Bootable, "pending": i.Pending, "confirmed": i.Confirmed, "active": i.Active, "permanent": i.Permanent}
		if len(i.Hash) > 0 {
			row["hash"] = i.Hash
		}
		rows = append(rows, row)
	}
	return object{"images": rows, "splitStatus": 0}, nil
}

func (s *Server) setImage(q *query) (object, error) {
	hash, confirm := q.bytes("hash"), q.flag("confirm")
	if s.Images == nil {
		return nil, errNone
	}
	if err := q.err(); err != nil {
		return nil, err
	}
	var err error
	switch {
	case !confirm && len(hash) == 0:
		err = problem(CodeInvalid, "which image?")
	case !confirm:
		err = s.Images.Test(hash)
	case len(hash) > 0:
		// Only what runs can know that it is healthy: another image goes on trial.
		list, e := s.Images.State()
		if e != nil {
			return nil, e
		}
		if !slices.ContainsFunc(list, func(i ImageState) bool { return i.Active && string(i.Hash) == string(hash) }) {
			return nil, problem(CodeBadState, "only the running image is confirmed; put the other one on trial")
		}
		err = s.Images.Confirm()
	default:
		err = s.Images.Confirm()
	}
	if err != nil {
		return nil, err
	}
	return s.images(nil)
}

func (s *Server) upload(q *query) (object, error) {
	_, told := q.o["off"]
	off, total, sha, data, image := q.number("off"), q.number("len"), q.bytes("sha"), q.bytes("data"), q.number("image")
	if s.Images == nil {
		return nil, errNone
	}
	if err := q.err(); err != nil {
		return nil, err
	}
	if !told || off > 1<<40 || total > 1<<40 || off == 0 && total == 0 || len(sha) != 0 && len(sha) != 32 {
		return nil, problem(CodeInvalid, "an upload begins with off 0 and len")
	}
	if image > 1 {
		return nil, problem(CodeInvalid, "there is one image")
	}
	next, done, err := s.Images.Upload(int64(off), int64(total), sha, data)
	if err != nil {
		return nil, err
	}
	a := object{"rc": 0, "off": next}
	if done {
		a["match"] = true
	}
	return a, nil
}

func (s *Server) erase(*query) (object, error) {
	if s.Images == nil {
		return nil, errNone
	}
	return object{}, s.Images.Erase()
}

func (s *Server) stat(q *query) (object, error) {
	name := q.text("name")
	if err := q.err(); err != nil {
		return nil, err
	}
	f, ok := s.Stats[name]
	if !ok {
		return nil, problem(CodeNoEntry, "no such statistics")
	}
	fields := object{}
	for k, v := range f() {
		fields[k] = v
	}
	return object{"rc": 0, "name": name, "fields": fields}, nil
}

func (s *Server) statList(*query) (object, error) {
	return object{"rc": 0, "stat_list": slices.Sorted(maps.Keys(s.Stats))}, nil
}

// chunk of a file in one answer, so that answer and frame overhead fit BufferSize.
const chunk = 1024

func (s *Server) open(q *query) (f io.ReaderAt, size int64, err error) {
	name := q.text("name")
	if s.Files == nil {
		return nil, 0, errNone
	}
	if err := q.err(); err != nil {
		return nil, 0, err
	}
	return s.Files.Open(name)
}

func (s *Server) download(q *query) (object, error) {
	off := q.number("off")
	f, size, err := s.open(q)
	if err != nil {
		return nil, err
	}
	if c, ok := f.(io.Closer); ok {
		defer c.Close()
	}
	if off > uint64(size) {
		return nil, problem(CodeInvalid, "behind the end")
	}
	data := make([]byte, min(chunk, size-int64(off)))
	if n, err := f.ReadAt(data, int64(off)); n < len(data) {
		return nil, err
	}
	a := object{"off": off, "data": data}
	if off == 0 {
		a["len"] = size
	}
	return a, nil
}

func (s *Server) fileStatus(q *query) (object, error) {
	f, size, err := s.open(q)
	if err != nil {
		return nil, err
	}
	if c, ok := f.(io.Closer); ok {
		c.Close()
	}
	return object{"len": size}, nil
}

func (s *Server) closeFile(*query) (object, error) { return object{}, nil }

func (s *Server) exec(q *query) (object, error) {
	argv := q.texts("argv")
	if s.Run == nil {
		return nil, errNone
	}
	if err := q.err(); err != nil {
		return nil, err
	}
	if len(argv) == 0 {
		return nil, problem(CodeInvalid, "no command")
	}
	out, ret, ok := s.Run(argv)
	if !ok {
		return nil, problem(CodeNoEntry, "no such command; try help")
	}
	return object{"o": out[:min(len(out), MaxPacket-200)], "ret": ret}, nil
}
