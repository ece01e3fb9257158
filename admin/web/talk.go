package web

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"parley/messages"
	"parley/org"
	"parley/store"
	"parley/wire/jid"
)

// message is something that was said, as pages show it.
type message struct {
	messages.Message
	Name    string // the writer's full name, if it is known and shown; else the nickname
	Sender  string // name of the account; "" of another server, the room itself, or where it is not shown
	Day     bool   // the first of its day
	Joined  bool   // follows the message before by the same author
	Here    bool   // the message that the link leads to
	Mine    bool
	Answers string // who wrote what it replies to, as Name
	Todo    *todo  // the task that it tells of, as it is now; nil: there is none here any more
}

// todo is a task, as pages show it.
type todo struct {
	store.Task
	For string // the full name of who is to do it, if it is known and shown
}

// Nick is what the writer is called in the room.
func (m message) Nick() string { return m.By.Nick }

// Address is the writer's address, if it is known; for moderators.
func (m message) Address() string { return m.By.Address }

// message adds what the person needs to know of one.
func (c *request) message(from messages.Message) message {
	m := message{Message: from, Name: from.By.Nick}
	m.Sender = c.account(from.By)
	m.Mine = m.Sender != "" && c.Me != nil && m.Sender == c.Me.Name && c.Me.Lived(m.At)
	return m
}

// account gives the name of an author's account; "" if it is none of this host.
func (c *request) account(a messages.Author) string {
	if name, host, ok := strings.Cut(a.Address, "@"); ok && host == c.host() {
		return name
	}
	return ""
}

// reader reads the messages of a room that the person may read.
func (c *request) reader(from time.Time) messages.Reader {
	return messages.Reader{Store: c.s.Store, Since: from}
}

// oneMessage reads a message of a room, by its id or that of what has changed it.
func (c *request) oneMessage(r room, id store.ID) (message, error) {
	m, err := c.reader(r.From).InRoom(c.r.Context(), c.s.Org.RoomDomain(c.host()), r.Local, id)
	if err != nil {
		return message{}, err
	}
	return c.message(m), nil
}

const historyPage = 50

// history reads the page of a room's archive that the address asks for: around a message, before or after one, or the
// end.
func (c *request) history(d *roomData) error {
	here, err1 := messageID(c.r.PathValue("id"))
	before, err2 := messageID(c.form("before"))
	after, err3 := messageID(c.form("after"))
	if err := cmp.Or(err1, err2, err3); err != nil {
		return err
	}
	if here > 0 {
		return c.around(d, here)
	}
	p := store.Page{Max: historyPage, Backwards: true, Before: before}
	if after > 0 && before == 0 {
		p.After, p.Backwards = after, false
	}
	ms, complete, err := c.readRoom(d, p)
	if err != nil {
		return err
	}
	d.turn(ms, !complete && p.Backwards || after > 0, before > 0 || !complete && !p.Backwards)
	return c.fillMessages(d, ms, 0)
}

// around reads a message with half a page before it, and half a page after.
func (c *request) around(d *roomData, here store.ID) error {
	m, err := c.oneMessage(d.room, here)
	if err != nil {
		return err
	}
	d.Shown = m.ID
	p := store.Page{Max: historyPage / 2, Backwards: true, Before: m.ID}
	ms, all, err := c.readRoom(d, p)
	if err != nil {
		return err
	}
	rest, last, err := c.readRoom(d, store.Page{Max: historyPage / 2, After: m.ID})
	if err != nil {
		return err
	}
	ms = append(append(ms, m.Message), rest...)
	d.turn(ms, !all, !last)
	return c.fillMessages(d, ms, m.ID)
}

// turn notes from where the pages before and after this one begin, if there are any.
func (d *roomData) turn(ms []messages.Message, older, newer bool) {
	if len(ms) == 0 {
		return
	}
	if older {
		d.Older = ms[0].ID.String()
	}
	if newer {
		d.Newer = ms[len(ms)-1].ID.String()
	}
}

// messageID reads the ID of a message in an address; "" is 0.
func messageID(s string) (store.ID, error) {
	if s == "" {
		return 0, nil
	}
	id, err := store.ParseID(s)
	if err != nil {
		return 0, notFound
	}
	return id, nil
}

// readRoom reads a page of the room's messages, and says whether it is complete.
func (c *request) readRoom(d *roomData, p store.Page) (ms []messages.Message, complete bool, err error) {
	return c.reader(d.From).Room(c.r.Context(), c.s.Org.RoomDomain(c.host()), d.Local, p)
}

// fillMessages adds the page's messages. A message joins the one above it if the same person wrote both within five
// minutes of a day.
func (c *request) fillMessages(d *roomData, ms []messages.Message, here store.ID) error {
	names := make(map[string]string)
	todos, err := c.todos(d, ms, names)
	if err != nil {
		return err
	}
	var last *message
	for _, from := range ms {
		m := c.message(from)
		m.Here = m.ID == here
		if m.Task != nil && !m.Task.Done && m.Removed == nil {
			m.Todo = todos[m.Task.ID]
		}
		m.Day = last == nil || last.At.YearDay() != m.At.YearDay() || last.At.Year() != m.At.Year()
		if err := c.author(&d.room, &m, names); err != nil {
			return err
		}
		m.Joined = !m.Day && last.Name == m.Name && last.Sender == m.Sender && m.At.Sub(last.At) < 5*time.Minute
		d.Messages = append(d.Messages, m)
		last = &d.Messages[len(d.Messages)-1]
	}
	return nil
}

// todos reads the tasks of the room that its messages tell of.
func (c *request) todos(d *roomData, ms []messages.Message, names map[string]string) (map[store.ID]*todo, error) {
	var ids []store.ID
	for i := range ms {
		if ms[i].Task != nil {
			ids = append(ids, ms[i].Task.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	ts, err := c.s.Store.TasksOf(c.r.Context(), c.host(), ids)
	if err != nil {
		return nil, err
	}
	all := make(map[store.ID]*todo)
	for _, t := range ts {
		if t.Room != d.Address {
			continue
		}
		x := &todo{Task: t}
		if t.Assignee != "" && org.ShowsAddresses(d.Group, d.Access) {
			name, _, _ := strings.Cut(t.Assignee, "@")
			full, err := c.fullName(messages.Author{Address: t.Assignee, Nick: name}, names)
			if err != nil {
				return nil, err
			}
			x.For = cmp.Or(full, jid.Unescape(name))
		}
		all[t.ID] = x
	}
	return all, nil
}

// author fills in a message's author, and whom it answers: colleagues by their full names, whatever they are called in
// the room. In rooms that show no addresses only the nickname is known.
func (c *request) author(r *room, m *message, names map[string]string) error {
	shown := org.ShowsAddresses(r.Group, r.Access)
	if m.Reply != nil {
		m.Answers = m.Reply.By
		if shown {
			name, err := c.fullName(m.Reply.Author, names)
			if err != nil {
				return err
			}
			m.Answers = cmp.Or(name, m.Answers)
		}
	}
	if !m.Mine && !shown {
		m.Sender = ""
		return nil
	}
	name, err := c.fullName(m.By, names)
	m.Name = cmp.Or(name, m.Name)
	return err
}

// fullName gives the full name of somebody with a nick, if it is a colleague with one. names are those known already.
func (c *request) fullName(a messages.Author, names map[string]string) (string, error) {
	account := c.account(a)
	if account == "" || a.Nick == "" {
		return "", nil
	}
	if name, known := names[account]; known {
		return name, nil
	}
	u, err := c.s.Store.User(c.r.Context(), c.host(), account)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	names[account] = u.FullName
	return u.FullName, nil
}

const reactorsShown = 20

// reactors names who has reacted with an emoji.
func reactors(r messages.Reaction) string {
	var names []string
	for _, a := range r.By[:min(len(r.By), reactorsShown)] {
		names = append(names, a.Nick)
	}
	if len(r.By) > reactorsShown {
		names = append(names, "…")
	}
	return strings.Join(names, ", ")
}
