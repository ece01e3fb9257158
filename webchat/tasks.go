package webchat

import (
	"context"
	"time"

	"parley/internal/fault"
	"parley/messages"
	"parley/store"
	"parley/wire/jid"
)

// Task is something that is to be done, in a conversation. Who may read the conversation sees its tasks, and who may
// write there makes and changes them.
type Task struct {
	ID           string     `json:"id"`
	Conversation string     `json:"conversation,omitempty" doc:"none: with somebody whose account is gone"`
	Where        string     `json:"where,omitempty" doc:"name of the conversation"`
	What         string     `json:"what"`
	Link         string     `json:"link,omitempty" doc:"address of a ticket or a project"`
	Message      string     `json:"message,omitempty" doc:"id of the message that it was made of"`
	At           time.Time  `json:"at"`
	By           *Author    `json:"by,omitempty"`
	For          *Author    `json:"for,omitempty" doc:"none: for nobody in particular"`
	Due          *time.Time `json:"due,omitempty"`
	Done         *time.Time `json:"done,omitempty" doc:"none: it is open"`
	DoneBy       *Author    `json:"doneBy,omitempty"`
}

// TaskList is a part of a list of tasks, the newest first.
type TaskList struct {
	Tasks []Task `json:"tasks"`
	More  string `json:"more,omitempty" doc:"there are more: before, for the next part"`
}

// The kinds of messages that tell of tasks.
const (
	kindTask = "task"
	kindDone = "task-done"
)

// tasksOf reads the tasks that messages tell of.
func (s *Service) tasksOf(ctx context.Context, ms []messages.Message) (map[store.ID]store.Task, error) {
	var ids []store.ID
	for i := range ms {
		if ms[i].Task != nil {
			ids = append(ids, ms[i].Task.ID)
		}
	}
	all := make(map[store.ID]store.Task, len(ids))
	ts, err := s.cfg.Store.TasksOf(ctx, s.cfg.Host.Domain, ids)
	for _, t := range ts {
		all[t.ID] = t
	}
	return all, err
}

// tellsOf adds the task that a message tells of. A task of another conversation, or one that is gone, is not shown: the
// message has its text.
func (s *Service) tellsOf(ctx context.Context, m *Message, of *messages.Task, at scene) {
	t, ok := at.tasks[of.ID]
	if at.tasks == nil {
		var err error
		t, err = s.cfg.Store.Task(ctx, s.cfg.Host.Domain, of.ID)
		if ok = err == nil; !ok && store.KindOf(err) != fault.NotFound {
			s.failed("cannot read a task", err)
		}
	}
	if !ok || !at.has(&t) {
		return
	}
	shown := s.showTask(ctx, &t, at, at.where())
	m.Task, m.Kind = &shown, kindTask
	if of.Done {
		m.Kind = kindDone
	}
}

// has says whether a task is one of the conversation.
func (at scene) has(t *store.Task) bool {
	if at.self == "" {
		return t.Room == at.room.String()
	}
	one, two := pair(at.self, at.with)
	return t.Room == "" && t.One == one && t.Two == two
}

// where gives the id of the conversation.
func (at scene) where() string {
	if at.self != "" {
		return at.with
	}
	return at.room.String()
}

// pair gives two addresses in order.
func pair(a, b string) (one, two string) {
	if a > b {
		return b, a
	}
	return a, b
}

// showTask gives a task as a browser shows it.
func (s *Service) showTask(ctx context.Context, t *store.Task, at scene, conversation string) Task {
	out := Task{
		ID:           t.ID.String(),
		Conversation: conversation,
		What:         t.What,
		Link:         t.Link,
		Message:      t.Message,
		At:           t.ID.Time(),
		By:           s.inTask(ctx, t.Maker, at),
		For:          s.inTask(ctx, t.Assignee, at),
	}
	if due := t.Due; !due.IsZero() {
		out.Due = &due
	}
	if done := t.Done; !done.IsZero() {
		out.Done, out.DoneBy = &done, s.inTask(ctx, t.DoneBy, at)
	}
	return out
}

// inTask gives somebody whom a task names. In a room that hides addresses it is the name that the person writes under.
func (s *Service) inTask(ctx context.Context, address string, at scene) *Author {
	who, err := jid.Parse(address)
	if err != nil {
		return nil
	}
	by := messages.Author{Address: address}
	if !at.addressed {
		if by.Occupant, err = s.Rooms.OccupantIDOf(ctx, at.room.Local(), who); err != nil {
			return nil
		}
		if who.Domain() == s.cfg.Host.Domain {
			by.Nick = s.nicksOf(ctx, who.Local(), at.room)[0]
		}
	}
	a := s.author(ctx, by, at)
	a.Hats = nil
	return &a
}

// taskAt is a task with the conversation in which a person sees it.
type taskAt struct {
	store.Task
	id jid.JID // of the conversation; zero: with somebody whose account is gone
	f  found
}

func (t *taskAt) conversation() string {
	if t.id.IsZero() {
		return ""
	}
	return t.id.String()
}

// task finds a task that a person may see.
func (s *Service) task(ctx context.Context, who jid.JID, id string) (t taskAt, err error) {
	missing := fault.New(fault.NotFound, "", "no such task")
	n, err := store.ParseID(id)
	if err != nil || n == 0 {
		return t, missing
	}
	kept, err := s.cfg.Store.Task(ctx, s.cfg.Host.Domain, n)
	if store.KindOf(err) == fault.NotFound {
		return t, missing
	}
	if err != nil {
		return t, err
	}
	t, ok, err := s.seen(ctx, who, &kept)
	if err == nil && !ok {
		err = missing
	}
	return t, err
}

// seen gives the conversation in which a person sees a task; ok is false if the person may not. Who may not read what
// was said when a task was made sees it only if it names them.
func (s *Service) seen(ctx context.Context, who jid.JID, t *store.Task) (at taskAt, ok bool, err error) {
	at.Task = *t
	self := who.Bare().String()
	other := t.Room
	if t.Room == "" {
		switch self {
		case t.One:
			other = t.Two
		case t.Two:
			other = t.One
		default:
			return at, false, nil
		}
	}
	if other == "" {
		at.f = found{conversation: Conversation{Me: self, Write: true}, scene: scene{addressed: true, self: self}}
		return at, true, nil
	}
	if at.id, err = jid.Parse(other); err != nil {
		return at, false, err
	}
	at.f, err = s.find(ctx, who.Bare(), at.id)
	if fault.Of(err) != nil {
		return at, false, nil
	}
	named := self == t.Maker || self == t.Assignee
	return at, err == nil && (named || t.ID >= store.FirstID(at.f.from)), err
}

// TaskPlace gives the name of the conversation in which a person sees a task (tasks.Service.Place).
func (s *Service) TaskPlace(ctx context.Context, who jid.JID, t *store.Task) (name string, ok bool, err error) {
	at, ok, err := s.seen(ctx, who, t)
	if err != nil || !ok {
		return "", false, err
	}
	return s.placeName(&at.f), true, nil
}

// placeName gives the name of a conversation, of a theme with its group's.
func (s *Service) placeName(f *found) string {
	if f.place != nil && f.place.Theme != nil {
		return f.place.Group.Name + " › " + f.place.Theme.Name
	}
	return f.conversation.Name
}

// ReachesTask returns an error if a person may not see a task.
func (s *Service) ReachesTask(ctx context.Context, account, id string) error {
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err == nil {
		_, err = s.task(ctx, who, id)
	}
	return err
}

// MayChangeTask returns an error if a person may not change a task.
func (s *Service) MayChangeTask(ctx context.Context, account, id string) error {
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err != nil {
		return err
	}
	t, err := s.task(ctx, who, id)
	if err == nil && !t.f.conversation.Write {
		err = fault.New(fault.Forbidden, "", "You cannot write in this conversation")
	}
	return err
}

// TaskOf gives one task.
func (s *Service) TaskOf(ctx context.Context, account, id string) (Task, error) {
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err != nil {
		return Task{}, err
	}
	t, err := s.task(ctx, who, id)
	if err != nil {
		return Task{}, err
	}
	return s.listedTask(ctx, &t), nil
}

func (s *Service) listedTask(ctx context.Context, t *taskAt) Task {
	out := s.showTask(ctx, &t.Task, t.f.scene, t.conversation())
	out.Where = s.placeName(&t.f)
	return out
}

// Which tasks a list has.
const (
	TasksOpen = "open" // for oneself, still to be done
	TasksDone = "done" // for oneself, done
	TasksMade = "made" // made by oneself
)

// manyTasks is how many tasks a list has at once.
const manyTasks = 100

// Tasks lists tasks of a person: open and done ones that are for the person, and those that the person has made. before
// is where the part before has ended.
func (s *Service) Tasks(ctx context.Context, account, which, before string) (TaskList, error) {
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err != nil {
		return TaskList{}, err
	}
	f := store.TaskFilter{Assignee: who.String(), Open: which == TasksOpen, Closed: which == TasksDone}
	if which == TasksMade {
		f = store.TaskFilter{Maker: who.String()}
	}
	known := make(map[string]*found) // by room; nil: not to be read
	return s.listTasks(ctx, f, before, func(t *store.Task) (at taskAt, ok bool, err error) {
		if seen, again := known[t.Room]; again && t.Room != "" {
			if seen == nil {
				return at, false, nil
			}
			id, err := jid.Parse(t.Room)
			return taskAt{*t, id, *seen}, err == nil, err
		}
		at, ok, err = s.seen(ctx, who, t)
		if known[t.Room] = nil; ok {
			known[t.Room] = &at.f
		}
		return at, ok, err
	})
}

// TasksIn lists the tasks of a conversation that are open, or those that are done.
func (s *Service) TasksIn(ctx context.Context, account string, id jid.JID, done bool, before string) (TaskList, error) {
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err != nil {
		return TaskList{}, err
	}
	found, err := s.find(ctx, who, id)
	if err != nil {
		return TaskList{}, err
	}
	f := inConversation(id, who, &found)
	f.Open, f.Closed = !done, done
	return s.listTasks(ctx, f, before, func(t *store.Task) (taskAt, bool, error) {
		named := who.String() == t.Maker || who.String() == t.Assignee
		return taskAt{*t, id, found}, named || t.ID >= store.FirstID(found.from), nil
	})
}

// inConversation chooses the tasks of a conversation.
func inConversation(id, who jid.JID, f *found) (t store.TaskFilter) {
	if f.scene.self == "" {
		t.Room = id.String()
	} else {
		t.One, t.Two = pair(who.Bare().String(), id.String())
	}
	return t
}

func (s *Service) listTasks(ctx context.Context, f store.TaskFilter, before string,
	see func(*store.Task) (taskAt, bool, error)) (TaskList, error) {
	list := TaskList{Tasks: []Task{}}
	f.Host, f.Max = s.cfg.Host.Domain, manyTasks
	if before != "" {
		var err error
		if f.Before, err = store.ParseID(before); err != nil {
			return list, fault.New(fault.NotFound, "", "no such task")
		}
	}
	ts, err := s.cfg.Store.Tasks(ctx, f)
	if err != nil {
		return list, err
	}
	for i := range ts {
		t, ok, err := see(&ts[i])
		if err != nil {
			return list, err
		}
		if ok {
			list.Tasks = append(list.Tasks, s.listedTask(ctx, &t))
		}
	}
	if len(ts) == manyTasks {
		list.More = ts[len(ts)-1].ID.String()
	}
	return list, nil
}

// taskEvent says that a task is new or different, or gone.
type taskEvent struct {
	Conversation string `json:"conversation,omitempty"`
	Task         *Task  `json:"task,omitempty"`
	Gone         string `json:"gone,omitempty"` // its id
}

// tellTask tells browsers of a task of theirs, also of what was one.
func (s *Service) tellTask(ctx context.Context, t *store.Task, gone bool) {
	if t.Room == "" {
		for _, side := range [][2]string{{t.One, t.Two}, {t.Two, t.One}} {
			self, err := jid.Parse(side[0])
			if err != nil || self.Domain() != s.cfg.Host.Domain {
				continue
			}
			at := scene{addressed: true, self: side[0], with: side[1]}
			s.tell(self.Local(), s.taskNow(ctx, t, gone, at, side[1]))
			if t.One == t.Two { // a note to oneself
				return
			}
		}
		return
	}
	if room, err := jid.Parse(t.Room); err == nil {
		s.tellRoom(roomFrame{Kind: roomTask, Room: room, Task: t, Gone: gone})
		s.taskToViewers(ctx, room, t, gone)
	}
}

// taskNow gives the event that shows a task in a conversation, as a scene shows it.
func (s *Service) taskNow(ctx context.Context, t *store.Task, gone bool, at scene, where string) *Event {
	e := taskEvent{Conversation: where}
	if gone {
		e.Gone = t.ID.String()
	} else {
		shown := s.showTask(ctx, t, at, where)
		e.Task = &shown
	}
	return event("task", e)
}

// taskToViewers tells the browsers of this node that hear of a room of a task there.
func (s *Service) taskToViewers(ctx context.Context, room jid.JID, t *store.Task, gone bool) {
	made := make(map[viewer]*Event)
	for b, v := range s.viewers(t.Room) {
		if made[*v] == nil {
			made[*v] = s.taskNow(ctx, t, gone, scene{room: room, group: v.group, addressed: v.addressed}, t.Room)
		}
		b.buf.add(made[*v])
	}
}
