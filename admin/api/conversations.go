package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parley/acts"
	"parley/internal/door"
	"parley/internal/fault"
	"parley/webchat"
	"parley/wire/jid"
)

// InConversation names a conversation in a path.
type InConversation struct {
	ID string `path:"id" maxLength:"3071" doc:"bare address of a room or a person"`
}

// HistoryQuery chooses a page of a conversation.
type HistoryQuery struct {
	InConversation
	Before string `query:"before" maxLength:"13"`
	After  string `query:"after" maxLength:"13"`
	Around string `query:"around" maxLength:"13" doc:"a page with this message in its middle"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

// OutgoingInput sends a message.
type OutgoingInput struct {
	InConversation
	Body webchat.Outgoing
}

// InSaid is a message of a conversation, in a path.
type InSaid struct {
	InConversation
	Message string `path:"message" maxLength:"13"`
}

// EditInput gives a message another text.
type EditInput struct {
	InSaid
	Body struct {
		Text     string            `json:"text" minLength:"1" maxLength:"20000"`
		Mentions []webchat.Mention `json:"mentions,omitempty" maxItems:"50"`
	}
}

// RemoveInput takes a message back.
type RemoveInput struct {
	InSaid
	Reason string `query:"reason" maxLength:"500"`
	Warn   bool   `query:"warn" doc:"of somebody else's message: tell its author why, by a message"`
}

// ReactInput sets the caller's reactions to a message.
type ReactInput struct {
	InSaid
	Body struct {
		Emoji []string `json:"emoji" maxItems:"20"`
	}
}

// ReadInput says how far the caller has read.
type ReadInput struct {
	InConversation
	Body struct {
		Message string `json:"message" maxLength:"13"`
	}
}

// TypingInput says that the caller is writing, or has stopped.
type TypingInput struct {
	InConversation
	Body struct {
		Typing bool `json:"typing"`
	}
}

// NotifyInput says of which messages the caller is notified.
type NotifyInput struct {
	InConversation
	Body struct {
		Notify string `json:"notify" enum:"all,mentions,none"`
	}
}

// MentionQuery searches the people whom the caller may mention.
type MentionQuery struct {
	InConversation
	Q     string `query:"q" maxLength:"100"`
	Limit int    `query:"limit" minimum:"1" maximum:"50" default:"10"`
}

// ColleagueQuery searches the people of the organization.
type ColleagueQuery struct {
	Q          string `query:"q" maxLength:"200"`
	Department string `query:"department" maxLength:"200" doc:"only people of this department"`
	Team       string `query:"team" maxLength:"100" doc:"only people of this team, by its slug"`
	Others     bool   `query:"others" doc:"without the caller"`
	Offset     int    `query:"offset" minimum:"0" maximum:"1000000"`
	Limit      int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

// FindQuery is a search in everything that the caller can read.
type FindQuery struct {
	Q      string    `query:"q" maxLength:"500" doc:"words; none: the filters alone, the newest messages first"`
	In     string    `query:"in" maxLength:"3071" doc:"only in this conversation"`
	From   string    `query:"from" maxLength:"3071" doc:"author's address"`
	After  time.Time `query:"after"`
	Before time.Time `query:"before"`
	Has    string    `query:"has" enum:"file,link,mention"`
	Older  string    `query:"older" maxLength:"13"`
	Limit  int       `query:"limit" minimum:"1" maximum:"50" default:"20"`
}

// PreviewQuery names a page.
type PreviewQuery struct {
	Address string `query:"address" required:"true" maxLength:"2000"`
}

// StatusInput sets what the caller shows.
type StatusInput struct{ Body webchat.Status }

// FileInput is a file to keep. Its content is the body.
type FileInput struct {
	Name string `query:"name" required:"true" minLength:"1" maxLength:"255"`
	Type string `query:"type" maxLength:"255" doc:"media type"`
	size int64
	body io.Reader
}

// Resolve keeps the body of the request, which may be long, and lets the caller take its time to send it.
func (f *FileInput) Resolve(hc huma.Context) []error {
	r, _ := humago.Unwrap(hc)
	f.size, f.body = r.ContentLength, r.Body
	door.Allow(r.Context(), time.Minute, time.Minute+time.Duration(max(0, f.size)/slowestUpload)*time.Second)
	return nil
}

const slowestUpload = 2 << 10 // bytes a second

// Operations on conversations. They are for people: the operator of the machine takes no part in conversations.
var (
	ListConversations = chats[None, webchat.List](
		"list-conversations", http.MethodGet, "/conversations", "messages:read",
		"The caller's conversations, newest first",
	)
	GetConversation = chats[InConversation, webchat.Conversation](
		"get-conversation", http.MethodGet, "/conversations/{id}", "messages:read",
		"A conversation, also with a colleague to whom nothing was said yet",
	)
	ReadHistory = chats[HistoryQuery, webchat.Page](
		"read-history", http.MethodGet, "/conversations/{id}/messages", "messages:read",
		"Messages as people see them, oldest first; the newest page without before, after and around",
	)
	PostMessage = created(chats[OutgoingInput, webchat.Message](
		"post-message", http.MethodPost, "/conversations/{id}/messages", "messages:write",
		"Send a message; a second one with the same origin is not sent, the first is returned",
	))
	EditMessage = chats[EditInput, webchat.Message](
		"edit-message", http.MethodPut, "/conversations/{id}/messages/{message}", "messages:write",
		"Give a message of one's own another text",
	)
	RemoveMessage = chats[RemoveInput, None](
		"remove-message", http.MethodDelete, "/conversations/{id}/messages/{message}", "messages:write",
		"Take back a message of one's own, or as a moderator somebody else's",
	)
	ReactToMessage = chats[ReactInput, webchat.Message](
		"react", http.MethodPut, "/conversations/{id}/messages/{message}/reactions", "messages:write",
		"Set all of one's own reactions to a message",
	)
	MarkRead = chats[ReadInput, webchat.Unread](
		"mark-read", http.MethodPut, "/conversations/{id}/read", "messages:write",
		"Say how far one has read; the answer counts what is left",
	)
	MarkUnread = chats[InSaid, webchat.Unread](
		"mark-unread", http.MethodPut, "/conversations/{id}/messages/{message}/unread", "messages:write",
		"Mark a message and all after it as unread, on every device",
	)
	ShowTyping = chats[TypingInput, None](
		"show-typing", http.MethodPut, "/conversations/{id}/typing", "messages:write",
		"Show that one is writing",
	)
	SetNotify = chats[NotifyInput, None](
		"set-notifications", http.MethodPut, "/conversations/{id}/notify", "messages:write",
		"Choose of which messages one is notified",
	)
	ListMentionable = chats[MentionQuery, webchat.Mentionable](
		"list-mentionable", http.MethodGet, "/conversations/{id}/people", "messages:read",
		"Whom one may mention, with how many people are told",
	)
	FindColleagues = chats[ColleagueQuery, webchat.Colleagues](
		"find-colleagues", http.MethodGet, "/colleagues", "messages:read",
		"People of the organization, in order of account",
	)
	ListColleagueParts = chats[None, webchat.Parts](
		"list-colleague-parts", http.MethodGet, "/colleagues/parts", "messages:read",
		"Departments and teams, with how many people but the caller each has",
	)
	DescribeLink = chats[PreviewQuery, webchat.Preview](
		"describe-link", http.MethodGet, "/preview", "messages:write",
		"Title and description of a page, which the server fetches; post-message takes its address as preview",
	)
	FindAnywhere = chats[FindQuery, webchat.Hits](
		"find-messages", http.MethodGet, "/find", "messages:read",
		"Messages with these words, newest first",
	)
	SetStatus = chats[StatusInput, webchat.Me](
		"set-status", http.MethodPut, "/me/status", "presence:write",
		"Set what one shows; do-not-disturb with a time silences phones until then",
	)
	KeepFile = created(chats[FileInput, webchat.File](
		"keep-file", http.MethodPost, "/files", "files:write",
		"Keep a file, to be sent in a message; the body is its content",
	))
)

// chats describes an operation of people who chat, in a browser or with a token.
func chats[I, O any](id, method, path, scope, summary string) Op[I, O] {
	o := personal(op[I, O](id, method, path, scope, summary))
	o.takes |= byBrowser
	return o
}

// created marks an operation that creates something.
func created[I, O any](o Op[I, O]) Op[I, O] {
	o.DefaultStatus = http.StatusCreated
	return o
}

// chat gives the service of the caller's host; NotFound where nobody chats on pages.
func (s *Server) chat(c caller) (*webchat.Service, error) {
	if w := s.Chats[c.host()]; w != nil {
		return w, nil
	}
	return nil, notFound
}

// inConversation calls f for a conversation.
func inConversation[O any](s *Server, c caller, id string,
	f func(w *webchat.Service, j jid.JID) (O, error)) (out O, err error) {
	w, err := s.chat(c)
	if err != nil {
		return out, err
	}
	j, err := jid.Parse(id)
	if err != nil || j.Local() == "" || !j.IsBare() {
		return out, fault.New(fault.NotFound, "", "no such conversation")
	}
	return f(w, j)
}

// inReach lets in people who may read the conversation that the operation names.
func (s *Server) inReach(ctx context.Context, c caller, of func(string) string) error {
	_, err := inConversation(s, c, of("id"), func(w *webchat.Service, j jid.JID) (struct{}, error) {
		return struct{}{}, w.Reaches(ctx, c.me.Name, j)
	})
	return err
}

// mayWrite lets in people who may write in the conversation that the operation names.
func (s *Server) mayWrite(ctx context.Context, c caller, of func(string) string) error {
	_, err := inConversation(s, c, of("id"), func(w *webchat.Service, j jid.JID) (struct{}, error) {
		return struct{}{}, w.Writes(ctx, c.me.Name, j)
	})
	return err
}

// mayEdit lets in the author of the message that the operation names.
func (s *Server) mayEdit(ctx context.Context, c caller, of func(string) string) error {
	_, err := inConversation(s, c, of("id"), func(w *webchat.Service, j jid.JID) (struct{}, error) {
		return struct{}{}, w.Edits(ctx, c.me.Name, j, of("message"))
	})
	return err
}

func (s *Server) conversations(d *doors) {
	serve(s, d, ListConversations, nil, func(ctx context.Context, c caller, _ *None) (webchat.List, error) {
		w, err := s.chat(c)
		if err != nil {
			return webchat.List{}, err
		}
		return w.Conversations(ctx, c.me.Name, c.credential)
	})
	serve(s, d, GetConversation, s.inReach,
		func(ctx context.Context, c caller, in *InConversation) (webchat.Conversation, error) {
			return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (webchat.Conversation, error) {
				return w.Of(ctx, c.me.Name, c.credential, j)
			})
		})
	serve(s, d, ReadHistory, s.inReach, func(ctx context.Context, c caller, in *HistoryQuery) (webchat.Page, error) {
		return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (webchat.Page, error) {
			return w.History(ctx, c.me.Name, j,
				webchat.Which{Before: in.Before, After: in.After, Around: in.Around, Limit: in.Limit})
		})
	})
	s.several(d)
	s.calls(d)
	s.saying(d)
	s.marking(d)
	s.finding(d)
}

// saying adds the operations that change messages.
func (s *Server) saying(d *doors) {
	type message = webchat.Message
	serve(s, d, PostMessage, s.mayWrite, func(ctx context.Context, c caller, in *OutgoingInput) (message, error) {
		return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (message, error) {
			return w.Send(ctx, c.me.Name, c.credential, j, in.Body)
		})
	})
	serve(s, d, EditMessage, s.mayEdit, func(ctx context.Context, c caller, in *EditInput) (message, error) {
		return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (message, error) {
			return w.Edit(ctx, c.me.Name, c.credential, j, in.Message, in.Body.Text, in.Body.Mentions)
		})
	})
	serve(s, d, ReactToMessage, s.inReach, func(ctx context.Context, c caller, in *ReactInput) (message, error) {
		return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (message, error) {
			return w.React(ctx, c.me.Name, c.credential, j, in.Message, in.Body.Emoji)
		})
	})
	act(s, d, RemoveMessage, s.inReach, func(ctx context.Context, c caller, in *RemoveInput) error {
		_, err := inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (struct{}, error) {
			moderated, author, err := w.Remove(ctx, c.me.Name, c.credential, j, in.Message, in.Reason, in.Warn)
			if err == nil && moderated {
				detail := acts.Detail{"message": in.Message, "sender": author, "reason": in.Reason}
				if in.Warn {
					detail["warned"] = true
				}
				c.p.Audit(ctx, c.actor, acts.MessageRetract, j.String(), detail)
			}
			return struct{}{}, err
		})
		return err
	})
	serve(s, d, KeepFile, nil, func(ctx context.Context, c caller, in *FileInput) (webchat.File, error) {
		w, err := s.chat(c)
		if err != nil {
			return webchat.File{}, err
		}
		if in.size <= 0 {
			return webchat.File{}, invalid("size", "The file is empty, or its size is not known")
		}
		return w.Keep(ctx, c.self(), in.Name, in.Type, in.size, in.body)
	})
}

// marking adds the operations that say something of the caller alone.
func (s *Server) marking(d *doors) {
	serve(s, d, MarkRead, s.inReach, func(ctx context.Context, c caller, in *ReadInput) (webchat.Unread, error) {
		return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (webchat.Unread, error) {
			return w.Read(ctx, c.me.Name, c.credential, j, in.Body.Message)
		})
	})
	serve(s, d, MarkUnread, s.inReach, func(ctx context.Context, c caller, in *InSaid) (webchat.Unread, error) {
		return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (webchat.Unread, error) {
			return w.MarkUnread(ctx, c.me.Name, c.credential, j, in.Message)
		})
	})
	act(s, d, ShowTyping, s.mayWrite, func(ctx context.Context, c caller, in *TypingInput) error {
		_, err := inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (struct{}, error) {
			return struct{}{}, w.Typing(ctx, c.me.Name, c.credential, j, in.Body.Typing)
		})
		return err
	})
	act(s, d, SetNotify, s.inReach, func(ctx context.Context, c caller, in *NotifyInput) error {
		_, err := inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (struct{}, error) {
			return struct{}{}, w.Notify(ctx, c.me.Name, c.credential, j, in.Body.Notify)
		})
		return err
	})
	serve(s, d, SetStatus, nil, func(ctx context.Context, c caller, in *StatusInput) (webchat.Me, error) {
		w, err := s.chat(c)
		if err != nil {
			return webchat.Me{}, err
		}
		return w.SetStatus(ctx, c.actor, c.credential, in.Body)
	})
}

// finding adds the searches.
func (s *Server) finding(d *doors) {
	serve(s, d, ListMentionable, s.inReach,
		func(ctx context.Context, c caller, in *MentionQuery) (webchat.Mentionable, error) {
			return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (webchat.Mentionable, error) {
				return w.MayMention(ctx, c.me.Name, j, in.Q, in.Limit)
			})
		})
	serve(s, d, FindColleagues, nil,
		func(ctx context.Context, c caller, in *ColleagueQuery) (webchat.Colleagues, error) {
			w, err := s.chat(c)
			if err != nil {
				return webchat.Colleagues{}, err
			}
			return w.FindColleagues(ctx, c.actor, webchat.ColleagueSearch{
				Words:      in.Q,
				Department: in.Department,
				Team:       in.Team,
				Others:     in.Others,
				Offset:     in.Offset,
				Limit:      in.Limit,
			})
		})
	serve(s, d, DescribeLink, nil, func(ctx context.Context, c caller, in *PreviewQuery) (webchat.Preview, error) {
		w, err := s.chat(c)
		if err != nil {
			return webchat.Preview{}, err
		}
		return w.Describe(ctx, c.me.Name, in.Address)
	})
	serve(s, d, ListColleagueParts, nil, func(ctx context.Context, c caller, _ *None) (webchat.Parts, error) {
		w, err := s.chat(c)
		if err != nil {
			return webchat.Parts{}, err
		}
		return w.Parts(ctx, c.actor)
	})
	serve(s, d, FindAnywhere, nil, func(ctx context.Context, c caller, in *FindQuery) (webchat.Hits, error) {
		w, err := s.chat(c)
		if err != nil {
			return webchat.Hits{}, err
		}
		return w.Find(ctx, c.actor, s.Find(ctx, c.host(), c.self(), in.Q), webchat.Search{
			Words:  in.Q,
			In:     in.In,
			From:   in.From,
			After:  in.After,
			Before: in.Before,
			Has:    in.Has,
			Older:  in.Older,
			Limit:  in.Limit,
		})
	})
}
