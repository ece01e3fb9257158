package muc

import (
	"parley/org"
	"parley/wire"
	"parley/wire/form"
)

// spaceForms say of which space a group's room is a part (XEP-0503, section 5.5).
func (r *Room) spaceForms() []*wire.Element {
	if r.group == "" {
		return nil
	}
	f := form.New("result", nsSpaces)
	f.Add("parent", "text-single", "Its space", org.SpaceIRI(r.s.host.Domain, r.group))
	return []*wire.Element{f.Element()}
}
