package web

import (
	"net/http"
	"slices"

	"parley/internal/fault"
	"parley/people"
	"parley/store"
	"parley/webchat"
)

// usingActions are the pages on which people have a program do something with a message of a room.
func (s *Server) usingActions() {
	for _, where := range []string{"/g/{slug}", "/g/{slug}/t/{key}"} {
		s.handle("GET "+where+"/m/{id}/act/{action}", member, (*request).actPage)
		s.handle("POST "+where+"/m/{id}/act/{action}", member, (*request).useAction)
	}
}

// roomAction is an action as the menu of a message shows it.
type roomAction struct{ ID, Label, Icon string }

// roomActions gives the actions that the person may use in a room.
func (c *request) roomActions(r room) (out []roomAction, err error) {
	if c.s.Chats[c.host()] == nil {
		return nil, nil
	}
	as, err := c.P.ActionsFor(c.r.Context(), *c.Me)
	for _, a := range as {
		if isIn(a, r) {
			out = append(out, roomAction{a.ID, c.actionName(a.Action), a.Icon})
		}
	}
	return out, err
}

// isIn says whether an action can be used in a room.
func isIn(a people.OwnAction, r room) bool {
	return len(a.Groups) == 0 || slices.Contains(a.Groups, r.Group.ID)
}

// actData is the data of the page on which an action is used.
type actData struct {
	room
	Message message
	Action  people.OwnAction
	Label   string
	Comment string // as it was written
	Error   string
	Answer  *webchat.ActionAnswer
	Note    string // why the answer is not in the conversation
}

// At is the page's path.
func (d actData) At() string {
	return d.Path + "/m/" + d.Message.ID.String() + "/act/" + d.Action.ID
}

// Back is the path of the message.
func (d actData) Back() string {
	return d.Path + "/m/" + d.Message.ID.String() + "#m-" + d.Message.ID.String()
}

// actData finds the message and the action in the path.
func (c *request) actData() (d actData, err error) {
	if d.room, err = c.room(); err != nil {
		return d, err
	}
	id, err := store.ParseID(c.r.PathValue("id"))
	if err != nil || !d.Access.Read || c.s.Chats[c.host()] == nil {
		return d, notFound
	}
	if d.Message, err = c.oneMessage(d.room, id); err != nil {
		return d, err
	}
	as, err := c.P.ActionsFor(c.r.Context(), *c.Me)
	if err != nil {
		return d, err
	}
	at := slices.IndexFunc(as, func(a people.OwnAction) bool { return a.ID == c.r.PathValue("action") })
	if at < 0 || !isIn(as[at], d.room) {
		return d, notFound
	}
	d.Action, d.Label = as[at], c.actionName(as[at].Action)
	return d, nil
}

func (c *request) actPage() error {
	d, err := c.actData()
	if err != nil {
		return err
	}
	if d.Message.Removed != nil {
		return c.done(d.Path, "This message is already removed")
	}
	return c.show("useaction", d.Label, d)
}

// useAction shows an answer for the person alone on the page, and what was written where the program fails.
func (c *request) useAction() error {
	d, err := c.actData()
	if err != nil {
		return err
	}
	if d.Message.Removed != nil {
		return c.done(d.Path, "This message is already removed")
	}
	d.Comment = c.form("comment")
	at := webchat.SaidIn{
		Conversation: c.s.Org.RoomJID(c.host(), d.Local),
		Message:      d.Message.ID.String(),
		Action:       d.Action.ID,
	}
	said, err := c.s.Chats[c.host()].Act(c.r.Context(), c.Me.Name, c.credential(), at,
		webchat.ActionUse{Comment: d.Comment})
	if err != nil {
		text, _, ok := c.explain(err)
		if !ok {
			return err
		}
		d.Error = text
		status := http.StatusUnprocessableEntity
		if fault.Is(err, fault.Busy) {
			status = http.StatusServiceUnavailable
		}
		return c.page(status, "useaction", d.Label, d)
	}
	if said.Message != "" {
		return c.done(d.Path+"/m/"+said.Message+"#m-"+said.Message, "{{.Name}}: done.", "Name", d.Label)
	}
	d.Answer = &said
	if said.Untold != nil {
		d.Note = c.refusal(said.Untold)
	}
	return c.page(http.StatusOK, "useaction", d.Label, d)
}
