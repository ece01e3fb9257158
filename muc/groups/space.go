package groups

import (
	"context"

	"parley/muc"
	"parley/org"
	"parley/wire"
	"parley/wire/form"
)

const nsSpaces = "urn:xmpp:spaces:0"

// spaceRule says of which space a group's room is a part (XEP-0503, section 5.5).
func spaceRule(k *keeper) muc.Hooks {
	iri := org.SpaceIRI(k.host, k.group)
	return muc.Hooks{
		Features: func() []string { return []string{nsSpaces} },
		Info: func(_ context.Context, f *form.Form, _ muc.RoomConfig, _ string) {
			f.Add("muc#roomconfig_pubsub", form.TextSingle, "Its space", iri)
		},
		Forms: func() []*wire.Element {
			f := form.New(form.Result, nsSpaces)
			f.Add("parent", form.TextSingle, "Its space", iri)
			return []*wire.Element{f.Element()}
		},
	}
}
