package groups_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/acts"
	"parley/internal/fault"
	"parley/muc/groups"
	"parley/org"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// named gives accounts their full names.
func (r *rig) named(names map[string]string) {
	r.T.Helper()
	for name, full := range names {
		r.User(name)
		if err := r.Store.SetFullName(context.Background(), testHost, name, full); err != nil {
			r.T.Fatal(err)
		}
	}
}

// family makes the people of these tests, of whom tybalt is not in the group.
func (r *rig) family() {
	r.named(map[string]string{
		"romeo":  "Roméo Montague",
		"juliet": "Juliet Capulet",
		"nurse":  "Ännchen Nurse",
		"tybalt": "Tybalt Capulet",
	})
}

// mentionable describes whom somebody may mention.
func (r *rig) mentionable(room store.Group, by, q string) string {
	r.T.Helper()
	m, err := r.svc.Mentionable(context.Background(), r.org.RoomJID(testHost, room.Room), person(by), q, 10)
	if err != nil {
		r.T.Fatal(err)
	}
	var out []string
	for _, p := range m.People {
		here := ""
		if p.Here {
			here = "here "
		}
		out = append(out, fmt.Sprintf("%s (%s%s %s)", p.Name, here, p.Role, p.Address))
	}
	for _, t := range m.Teams {
		out = append(out, fmt.Sprintf("team %s %d", t.Slug, t.People))
	}
	return fmt.Sprintf("%s; %d, all %d, here %d", strings.Join(out, ", "), m.Total, m.Everyone, m.Here)
}

func TestMentionable(t *testing.T) {
	r := newRig(t)
	r.family()
	r.Login("juliet/x", "nurse/x")
	g := r.group(org.Private)
	at := r.org.RoomJID(testHost, g.Room).String()
	r.Play(`juliet sends: <presence to='` + at + `/Julie'>` + x + `</presence>
	nurse sends: <presence to='` + at + `/Nurse'><show>away</show>` + x + `</presence>
	nurse forgets from ` + at)
	team, err := r.org.CreateTeam(context.Background(), acts.System, testHost, org.NewTeam{Name: "Capulet guard"})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.org.SetTeamPeople(context.Background(), acts.System, testHost, team.ID,
		[]string{"tybalt"}, nil); err != nil {
		t.Fatal(err)
	}
	const (
		juliet = "Juliet Capulet (here member juliet@example.org)"
		nurse  = "Ännchen Nurse (member nurse@example.org)"
		guard  = "team capulet-guard 1"
	)
	for _, c := range []struct{ by, q, want string }{
		{"romeo", "", juliet + ", " + nurse + ", " + guard + "; 2, all 2, here 1"},
		{"romeo", "cap", juliet + ", " + guard + "; 1, all 2, here 1"},
		{"romeo", "CAPULET jul", juliet + "; 1, all 2, here 1"},
		{"romeo", "annc", nurse + "; 1, all 2, here 1"},
		{"romeo", "änn", nurse + "; 1, all 2, here 1"},
		{"romeo", "apulet", "; 0, all 2, here 1"},
		{"juliet", "rome", "Roméo Montague (owner romeo@example.org); 1, all 2, here 0"},
		{"juliet", "jul", "; 0, all 2, here 0"},
	} {
		if got := r.mentionable(g, c.by, c.q); got != c.want {
			t.Errorf("%s asks for %q: %s\nnot %s", c.by, c.q, got, c.want)
		}
	}
	_, err = r.svc.Mentionable(context.Background(), jid.MustParse(at), person("tybalt"), "", 10)
	if err == nil {
		t.Error("tybalt may not read the room")
	}

	// Who is not enabled any more is not found; who may not call everyone is not told how many that are.
	if err := r.Store.SetDisabled(context.Background(), testHost, "nurse", true); err != nil {
		t.Fatal(err)
	}
	by := "moderators"
	if _, err := r.org.Update(context.Background(), acts.System, testHost, g.ID,
		org.GroupChange{MentionBy: &by}); err != nil {
		t.Fatal(err)
	}
	if got, want := r.mentionable(g, "juliet", "nurse"), "; 0, all 0, here 0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// In a federated group nobody sees addresses: people are found by the names under which they are there.
func TestMentionableByNick(t *testing.T) {
	r := newRig(t)
	r.family()
	r.Login("juliet/x", "nurse/x")
	g := r.group(org.Federated)
	at := r.org.RoomJID(testHost, g.Room).String()
	r.Play(`juliet sends: <presence to='` + at + `/Julie'>` + x + `</presence>
	juliet forgets from ` + at)
	if _, _, err := r.speak("nurse", g.Room, "<body>Madam!</body>", "Angelica"); err != nil {
		t.Fatal(err)
	}
	want := "Julie (here member " + at + "/Julie), Angelica (member " + at + "/Angelica); 2, all 2, here 1"
	if got := r.mentionable(g, "romeo", ""); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	es, err := r.svc.References(context.Background(), jid.MustParse(at), person("romeo"), "Angelica, come",
		groups.Place{Begin: 0, End: 8, Address: jid.MustParse(at + "/Angelica")})
	if err != nil || len(es) != 1 || es[0].Attr("uri") != "xmpp:"+at+"/Angelica" {
		t.Errorf("got %s: %v", written(es), err)
	}
}

// Where everyone may read, people who are not members come after those who are.
func TestMentionableInLargeGroup(t *testing.T) {
	r := newRig(t)
	r.family()
	g := r.group(org.Large)
	want := "Juliet Capulet (member juliet@example.org), Tybalt Capulet ( tybalt@example.org); 2, all 2, here 0"
	if got := r.mentionable(g, "romeo", "Capu"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// written gives references as text.
func written(es []*wire.Element) string {
	var out []string
	for _, e := range es {
		out = append(out, fmt.Sprint(e.Attr("begin"), "-", e.Attr("end"), " ",
			strings.TrimPrefix(e.Attr("uri")+e.Attr("mentions"), "xmpp:")))
	}
	return strings.Join(out, ", ")
}

func TestReferencesAtPlaces(t *testing.T) {
	r := newRig(t)
	r.family()
	r.Login("romeo/x")
	g := r.group(org.Private)
	at := r.org.RoomJID(testHost, g.Room)
	ctx := context.Background()
	const channel = "urn:xmpp:mentions:0#channel"
	place := func(begin, end int, who string) groups.Place {
		return groups.Place{Begin: begin, End: end, Address: person(who)}
	}
	for _, c := range []struct {
		text   string
		places []groups.Place
		want   string
	}{
		{"@Juliet Capulet and @nurse", []groups.Place{place(1, 15, "juliet")},
			"1-15 juliet@example.org, 21-26 nurse@example.org"},
		{"é @juliet", []groups.Place{place(2, 9, "nurse")}, "2-9 nurse@example.org"}, // though the text says juliet
		{"@juliet, @Tybalt", []groups.Place{place(10, 16, "tybalt")}, "1-7 juliet@example.org"},
		{"@juliet and @all, @here", nil, "1-7 juliet@example.org, 13-16 " + channel + ", 19-23 " + channel},
		{"@all", nil, ""}, // is found in the text
	} {
		es, err := r.svc.References(ctx, at, person("romeo"), c.text, c.places...)
		if got := written(es); got != c.want || err != nil {
			t.Errorf("%q: %s, %v; not %s", c.text, got, err, c.want)
		}
	}
	for _, p := range []groups.Place{place(-1, 1, "nurse"), place(1, 1, "nurse"), place(0, 6, "nurse"), {End: 1}} {
		if _, err := r.svc.References(ctx, at, person("romeo"), "nurse", p); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", p, err)
		}
	}
	many := slices.Repeat([]groups.Place{place(0, 5, "nurse")}, 11)
	if _, err := r.svc.References(ctx, at, person("romeo"), "nurse", many...); !fault.Is(err, fault.Limit) {
		t.Errorf("11 mentions: %v", err)
	}
}
