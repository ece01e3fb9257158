package acts

import (
	"parley/store"
	"parley/wire/jid"
)

// Door is the way in by which something is asked for.
type Door string

const (
	Page        Door = "page"
	API         Door = "api"
	CommandLine Door = "command line"
	Client      Door = "client"     // stanzas: ad-hoc commands, forms, spaces, vCards
	Line        Door = "line"       // a line of a conversation that begins with "!"
	Link        Door = "link"       // an invitation's or another one of a mail
	Server      Door = "server"     // the server itself
	Import      Door = "import"     // a file of people
	Federation  Door = "federation" // stanzas from another server
)

// Doors are all of them.
var Doors = []Door{Page, API, CommandLine, Client, Line, Link, Server, Import, Federation}

// Actor asks for a change: a person, the operator of the machine at the command line, or the server.
type Actor struct {
	Who        jid.JID // bare address of a person; zero: the command line or the server
	Name       string  // localpart of an account of the host; "" else
	Role       string  // in the organization
	Department string
	Door       Door   // by which they came in; there is none without
	Remote     string // address; "" where it is not known
	Reason     string // why they do it, in their words; "" where they say nothing
}

// System is the server itself. It may do anything.
var System = Actor{Role: store.RoleOwner, Door: Server}

// ByCommandLine is the address of what is done on the command line, in the audit log.
const ByCommandLine = "command line"

// Operator runs the machine. The command line acts as Operator, which every act allows.
var Operator = Actor{Role: store.RoleOwner, Door: CommandLine, Remote: ByCommandLine}

// As makes the actor of a signed-in person. door is the way in, remote the address that the person came from, "" if
// unknown.
func As(u store.Person, door Door, remote string) Actor {
	a := Actor{Name: u.Name, Role: u.Role, Department: u.Department, Door: door, Remote: remote}
	if j, err := jid.New(u.Name, u.Host, ""); err == nil {
		a.Who = j
	}
	return a
}

// Person makes the actor of a person whose address is all that is known, as in rooms. It has the role of a member: acts
// look the person's role up where it counts. A person of another server comes in by the door Federation, whatever door
// says.
func Person(who jid.JID, host string, door Door) Actor {
	a := Actor{Who: who.Bare(), Door: door, Role: store.RoleMember}
	if who.Domain() == host {
		a.Name = who.Local()
	} else {
		a.Door, a.Remote = Federation, who.Bare().String()
	}
	return a
}

// Machine says whether the actor is the command line or the server, not a person.
func (a Actor) Machine() bool { return a.Who.IsZero() && a.Name == "" && a.Role == store.RoleOwner }
