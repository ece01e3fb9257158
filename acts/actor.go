package acts

import (
	"parley/store"
	"parley/wire/jid"
)

// Door is the way by which a change reaches the server.
type Door string

const (
	// Page is a page in a browser.
	Page Door = "page"
	// API is the JSON API.
	API Door = "api"
	// CommandLine is the command line on the server's machine.
	CommandLine Door = "command line"
	Client      Door = "client"     // stanzas: ad-hoc commands, forms, spaces, vCards
	Line        Door = "line"       // a message that begins with "!"
	Link        Door = "link"       // an invitation's link, or another one in a mail
	Server      Door = "server"     // the server itself
	Import      Door = "import"     // an imported list of people
	Federation  Door = "federation" // stanzas from another server
)

// Doors are all doors.
var Doors = []Door{Page, API, CommandLine, Client, Line, Link, Server, Import, Federation}

// Actor makes a change: a person, the machine's operator at the command line, or the server.
type Actor struct {
	Who        jid.JID // bare address of a person; zero: the command line or the server
	Name       string  // localpart of an account of the host; otherwise ""
	Role       string  // in the organization
	Department string
	Door       Door   // an actor without a door is refused
	Remote     string // address; "" if unknown
	Reason     string // the actor's reason in their words; "" if they gave none
}

// System is the server itself. It may do anything.
var System = Actor{Role: store.RoleOwner, Door: Server}

// ByCommandLine is the remote address of the command line in the audit log.
const ByCommandLine = "command line"

// Operator runs the machine. The command line acts as Operator, which every act allows.
var Operator = Actor{Role: store.RoleOwner, Door: CommandLine, Remote: ByCommandLine}

// As gives the actor of a signed-in person. remote is the address that they came from, "" if unknown.
func As(u store.Person, door Door, remote string) Actor {
	a := Actor{Name: u.Name, Role: u.Role, Department: u.Department, Door: door, Remote: remote}
	if j, err := jid.New(u.Name, u.Host, ""); err == nil {
		a.Who = j
	}
	return a
}

// Person gives the actor of a person of whom only the address is known, as in rooms. It has the role of a member: acts
// look up the person's role where it matters. For a person of another server the door is always Federation.
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
