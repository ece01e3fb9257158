package muc

import (
	"context"

	"parley/org"
	"parley/wire"
	"parley/wire/form"
)

// spaceRule says of which space a group's room is a part (XEP-0503, section 5.5).
func spaceRule(r *Room) Hooks {
	k, ok := r.keeper.(*grouped)
	if !ok {
		return Hooks{}
	}
	iri := org.SpaceIRI(k.host, k.group)
	return Hooks{
		Features: func() []string { return []string{nsSpaces} },
		Info: func(_ context.Context, f *form.Form, _ RoomConfig, _ string) {
			f.Add(prefix+"pubsub", form.TextSingle, "Its space", iri)
		},
		Forms: func() []*wire.Element {
			f := form.New(form.Result, nsSpaces)
			f.Add("parent", form.TextSingle, "Its space", iri)
			return []*wire.Element{f.Element()}
		},
	}
}
